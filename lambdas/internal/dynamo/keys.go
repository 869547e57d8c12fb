package dynamo

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/schema"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Key attributes and prefixes of all tables.
const (
	partitionKey = schema.PartitionKey
	sortKey      = schema.SortKey

	userPrefix    = "u#"
	requestPrefix = "r#"
	inputPrefix   = "input#"
	chunkPrefix   = "c#"
	accountSort   = "account"
)

func accountKey(userID string) item {
	return item{partitionKey: text(userPrefix + userID), sortKey: text(accountSort)}
}

func recordKey(k life.Key) item {
	return item{partitionKey: text(userPrefix + k.UserID), sortKey: text(requestPrefix + k.RequestID)}
}

func inputKey(requestID, hash string) item {
	return item{partitionKey: text(requestPrefix + requestID), sortKey: text(inputPrefix + hash)}
}

func chunkKey(requestID, owner string, firstSeq int) item {
	return item{partitionKey: text(requestPrefix + requestID), sortKey: text(chunkSort(owner, firstSeq))}
}

// lastSeq is the last seq that the key of a chunk has room for. A longer number
// would sort before shorter ones, and DynamoDB refuses a range that ends before
// it begins.
const lastSeq = 99_999_999

// chunkSort orders the chunks of an attempt by their first frame. The owner in
// it makes the key private to the attempt.
func chunkSort(owner string, firstSeq int) string {
	return fmt.Sprintf("%s%s#%08d", chunkPrefix, owner, firstSeq)
}

func connectionKey(userID, connectionID string) item {
	return item{partitionKey: text(userPrefix + userID), sortKey: text(connectionID)}
}

// progressKey is where the sweep keeps how far it came.
func progressKey() item { return item{partitionKey: text("sweep"), sortKey: text("progress")} }

// shardOf spreads accounts over the shards of the index of open ones.
func shardOf(userID string) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(userID)) // never fails
	return int(hash.Sum32() % schema.OpenShards)
}

func shardName(shard int) string { return fmt.Sprintf("%02d", shard) }

func userOf(i item) string { return strings.TrimPrefix(getText(i, partitionKey), userPrefix) }
