package roundtrip

// NewSocket is newSocket.
var NewSocket = newSocket
