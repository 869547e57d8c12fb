package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Connections reads the sockets of a user that have not expired. Where
// consistent is false, they may be those of a second ago.
func (s *Store) Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error) {
	key, filter := partition, liveConnections
	names, values := bind("", item{":pk": text(userPrefix + userID), ":now": seconds(s.now())}, key, filter)
	items, err := s.query(ctx, "reading connections", &dynamodb.QueryInput{
		TableName:                 &s.tables.Connections,
		KeyConditionExpression:    &key,
		FilterExpression:          &filter,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ConsistentRead:            &consistent,
	})
	if err != nil {
		return nil, err
	}
	connections := make([]life.Connection, len(items))
	for n, i := range items {
		connections[n] = readConnection(i)
	}
	return connections, nil
}

// PutConnection writes the row of a socket, whether or not it is there.
func (s *Store) PutConnection(ctx context.Context, connection life.Connection) error {
	return s.put(ctx, "storing connection", s.tables.Connections, connectionItem(connection))
}

// DeleteConnection removes the row of a socket; with a time, only if it
// connected before then.
func (s *Store) DeleteConnection(ctx context.Context, connection life.Connection, connectedEarlierThan time.Time) error {
	input := &dynamodb.DeleteItemInput{
		TableName: &s.tables.Connections,
		Key:       connectionKey(connection.UserID, connection.ConnectionID),
	}
	if !connectedEarlierThan.IsZero() {
		condition := connectedBefore
		input.ConditionExpression = &condition
		input.ExpressionAttributeNames, input.ExpressionAttributeValues = bind("", item{":before": millis(connectedEarlierThan)}, condition)
	}
	_, err := s.client.DeleteItem(ctx, input)
	if _, failed := conditionFailed(err); err == nil || failed {
		return nil
	}
	return failure("deleting connection", err)
}
