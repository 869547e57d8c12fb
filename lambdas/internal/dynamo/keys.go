package dynamo

import (
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Key attributes and prefixes of all tables.
const (
	partitionKey = "pk"
	sortKey      = "sk"

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

func userOf(i item) string { return strings.TrimPrefix(getText(i, partitionKey), userPrefix) }
