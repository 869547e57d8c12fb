package start

// UseShare uses the share of a machine that a function has.
var UseShare = useShare
