// Package schema names what the component declares of the tables and the
// functions rely on. Both sides use these constants, so that neither can change
// alone.
package schema

// Attributes of every table.
const (
	PartitionKey = "pk"        // string
	SortKey      = "sk"        // string
	ExpiresAt    = "expiresAt" // number: the time to live, in seconds
)

// The sparse index of the quota table: the accounts with open requests, by how
// long they have had any. An account has both attributes from its first open
// request to its last, and is in the index so long.
const (
	OpenIndex = "open"
	OpenShard = "openShard" // string: one of OpenShards, so that no partition takes all writes
	OpenSince = "openSince" // number: when the first was admitted, in milliseconds
)

// OpenShards is how many partitions the index is spread over. Each takes 1,000
// writes a second, and an account costs two from its first open request to its
// last: about 8,000 such a second.
const OpenShards = 16
