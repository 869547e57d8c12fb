package handshake

// Keys of the context that the authorizer gives a socket, and that API Gateway
// passes on to every later event of it. All values are strings.
const (
	ContextUserID       = "userId"
	ContextTokenExpires = "tokenExp" // seconds since the epoch
	ContextGroups       = "groups"   // comma-separated
)
