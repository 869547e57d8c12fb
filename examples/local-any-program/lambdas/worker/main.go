// Command worker is a function that keeps the messages of a queue in a table.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	w := worker{dynamodb.NewFromConfig(settings), os.Getenv("TABLE")}
	lambda.Start(w.handle)
}

type worker struct {
	client *dynamodb.Client
	table  string
}

func (w worker) handle(ctx context.Context, event events.SQSEvent) error {
	for _, message := range event.Records {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.table, Item: map[string]types.AttributeValue{
			"id":   &types.AttributeValueMemberS{Value: message.MessageId},
			"text": &types.AttributeValueMemberS{Value: message.Body},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
