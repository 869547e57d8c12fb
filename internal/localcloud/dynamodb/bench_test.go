package dynamodb_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
)

func call(service *dynamodb.Service, operation, body string) (int, string) {
	request := httptest.NewRequest("POST", "/", strings.NewReader(body))
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

func chunk(i int) string {
	return fmt.Sprintf(`{"TableName":"requests","Item":{"pk":{"S":"r#%d"},"sk":{"S":"c#%08d"},"text":{"S":"%s"}}}`, i%1000, i, strings.Repeat("x", 300))
}

func BenchmarkService(b *testing.B) {
	for _, items := range []int{1_000, 20_000, 200_000} {
		service := newService(b)
		for i := range items {
			call(service, "PutItem", chunk(i))
		}
		run := func(name, operation string, body func(n int) string) {
			b.Run(fmt.Sprintf("%s/items=%d", name, items), func(b *testing.B) {
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n++
					if status, answer := call(service, operation, body(n)); status != 200 {
						b.Fatal(answer)
					}
				}
			})
		}
		run("PutItem", "PutItem", chunk)
		run("Query", "Query", func(int) string {
			return `{"TableName":"requests","KeyConditionExpression":"pk = :p","Limit":20,"ExpressionAttributeValues":{":p":{"S":"r#5"}}}`
		})
		run("TransactWriteItems", "TransactWriteItems", func(n int) string {
			return fmt.Sprintf(`{"TransactItems":[
				{"Put":{"TableName":"requests","Item":{"pk":{"S":"u%d"},"sk":{"S":"%d"}},"ConditionExpression":"attribute_exists(sk) OR attribute_not_exists(pk)"}},
				{"Update":{"TableName":"quota","Key":{"pk":{"S":"u1"},"sk":{"S":"account"}},"UpdateExpression":"SET n=if_not_exists(n,:z)+:o",
					"ExpressionAttributeValues":{":z":{"N":"0"},":o":{"N":"1"}}}}]}`, n%1000, n)
		})
	}
}

// BenchmarkOverHTTP writes chunks with the SDK over TCP, 100 callers a CPU.
func BenchmarkOverHTTP(b *testing.B) {
	client := clientOf(b, newService(b))
	text := strings.Repeat("x", 300)
	var n atomic.Int64
	b.SetParallelism(100)
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			i := n.Add(1)
			_, err := client.PutItem(context.Background(), &sdk.PutItemInput{
				TableName: aws.String(table), Item: item("pk", fmt.Sprint("r#", i%1000), "sk", fmt.Sprintf("c#%08d", i), "text", text),
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}
