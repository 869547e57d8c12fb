package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// uploadsPrefix is of the items that count a user's uploads, one a day. They are
// apart from the account, so that uploads never meet admissions.
const uploadsPrefix = "uploads#"

// uploadsKept is how long such an item is kept from the beginning of its day.
const uploadsKept = 48 * time.Hour

// CountUpload counts one upload of a user on a day, UTC; life.ErrTooManyUploads
// if there are as many as there may be. One whose answer was lost may count
// twice.
func (s *Store) CountUpload(ctx context.Context, userID string, day time.Time) error {
	update, condition := countUpload, mayUpload
	values := constants(s.now())
	values[":most"] = number(life.MaxUploadsPerDay)
	values[":expires"] = seconds(day.Add(uploadsKept))
	names, bound := bind("", values, update, condition)
	err := retryConflicts(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Quota,
			Key:                       item{partitionKey: text(userPrefix + userID), sortKey: text(uploadsPrefix + day.Format(time.DateOnly))},
			UpdateExpression:          &update,
			ConditionExpression:       &condition,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		})
		return err
	})
	if _, failed := conditionFailed(err); failed {
		return life.ErrTooManyUploads
	}
	if err != nil {
		return failure("counting upload", err)
	}
	return nil
}
