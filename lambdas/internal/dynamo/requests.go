package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// batchSize is the largest number of items that BatchGetItem reads.
const batchSize = 100

// Record reads a request consistently.
func (s *Store) Record(ctx context.Context, key life.Key) (life.Record, error) {
	i, err := s.get(ctx, "reading request", s.tables.Requests, recordKey(key))
	if err != nil {
		return life.Record{}, err
	}
	if len(i) == 0 {
		return life.Record{}, life.ErrNotFound
	}
	return readRecord(i), nil
}

// Records reads many requests, perhaps as they stood a second ago. Those that
// do not exist are absent from the result.
func (s *Store) Records(ctx context.Context, keys []life.Key) (map[life.Key]life.Record, error) {
	records := make(map[life.Key]life.Record, len(keys))
	for batch := range slices.Chunk(keys, batchSize) {
		wanted := make([]map[string]types.AttributeValue, len(batch))
		for n, k := range batch {
			wanted[n] = recordKey(k)
		}
		if err := s.readBatch(ctx, wanted, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func (s *Store) readBatch(ctx context.Context, wanted []map[string]types.AttributeValue, into map[life.Key]life.Record) error {
	const doing = "reading requests"
	pause := newPause()
	for len(wanted) > 0 {
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.tables.Requests: {Keys: wanted}},
		})
		if err != nil {
			return failure(doing, err)
		}
		for _, i := range out.Responses[s.tables.Requests] {
			r := readRecord(i)
			into[r.Key] = r
		}
		wanted = out.UnprocessedKeys[s.tables.Requests].Keys
		if len(wanted) > 0 && !pause.wait(ctx) {
			return failure(doing, context.DeadlineExceeded)
		}
	}
	return nil
}

// PutInput stores what the model is to be asked. It precedes the record, so
// that every record has its input.
func (s *Store) PutInput(ctx context.Context, requestID, hash string, in life.Input, expires time.Time) error {
	i := inputItem(requestID, hash, in)
	i["expiresAt"] = seconds(expires)
	return s.put(ctx, "storing input", s.tables.Requests, i)
}

// Input reads what the model is to be asked; ErrNotFound if it is gone.
func (s *Store) Input(ctx context.Context, requestID, hash string) (life.Input, error) {
	i, err := s.get(ctx, "reading input", s.tables.Requests, inputKey(requestID, hash))
	if err != nil {
		return life.Input{}, err
	}
	if len(i) == 0 {
		return life.Input{}, life.ErrNotFound
	}
	return readInput(i)
}

// PutChunk appends to the log of an attempt. The key is private to the attempt,
// so that no condition is needed.
func (s *Store) PutChunk(ctx context.Context, requestID, owner string, chunk life.Chunk, expires time.Time) error {
	i := chunkItem(requestID, owner, chunk)
	i["expiresAt"] = seconds(expires)
	return s.put(ctx, "storing chunk", s.tables.Requests, i)
}

// Chunks reads the log of an attempt from the chunk that holds afterSeq+1 up to
// the first gap.
func (s *Store) Chunks(ctx context.Context, requestID, owner string, afterSeq int) ([]life.Chunk, error) {
	if afterSeq >= lastSeq {
		return nil, nil
	}
	from := chunkSort(owner, 0)
	if afterSeq > 0 {
		holder, err := s.chunkBefore(ctx, requestID, owner, afterSeq+1)
		if err != nil {
			return nil, err
		}
		from = holder
	}
	items, err := s.query(ctx, "reading chunks", s.chunkRange(requestID, from, chunkSort(owner, lastSeq)))
	if err != nil {
		return nil, err
	}
	chunks := make([]life.Chunk, len(items))
	for n, i := range items {
		chunks[n] = readChunk(i)
	}
	return life.Contiguous(chunks, afterSeq), nil
}

// chunkBefore returns the sort key of the last chunk that begins at or before
// seq.
func (s *Store) chunkBefore(ctx context.Context, requestID, owner string, seq int) (string, error) {
	input := s.chunkRange(requestID, chunkSort(owner, 0), chunkSort(owner, seq))
	input.ScanIndexForward = aws.Bool(false)
	input.Limit = aws.Int32(1)
	out, err := s.client.Query(ctx, input)
	if err != nil {
		return "", failure("reading chunks", err)
	}
	if len(out.Items) == 0 {
		return chunkSort(owner, seq), nil
	}
	return getText(out.Items[0], sortKey), nil
}

func (s *Store) chunkRange(requestID, from, to string) *dynamodb.QueryInput {
	expression := rangeOfPartition
	names, values := bind("", item{":pk": text(requestPrefix + requestID), ":from": text(from), ":to": text(to)}, expression)
	return &dynamodb.QueryInput{
		TableName:                 &s.tables.Requests,
		KeyConditionExpression:    &expression,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(true),
	}
}

// query reads all pages.
func (s *Store) query(ctx context.Context, doing string, input *dynamodb.QueryInput) ([]item, error) {
	var items []item
	for {
		out, err := s.client.Query(ctx, input)
		if err != nil {
			return nil, failure(doing, err)
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			return items, nil
		}
		input.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
