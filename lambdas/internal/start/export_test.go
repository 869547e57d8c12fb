package start

// UseMemory has garbage collected late, but in time.
var UseMemory = useMemory
