package localcloud_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/examples/local-any-program/program"
	"github.com/streaming-service/streaming-service/internal/localcloud"
)

// A program that has nothing to do with this service runs: its function, an
// ordinary one with the SDK's own configuration, moves a message to the table.
func TestAnotherProgram(t *testing.T) {
	t.Parallel()
	declare := func(p *pulumi.Context, with localcloud.Setup) error {
		archive, err := with.Builder.Build(t.Context(), "worker", "arm64")
		if err != nil {
			return err
		}
		return program.Declare(p, archive)
	}
	cloud, err := localcloud.Run(t.Context(), localcloud.Program{Declare: declare}, localcloud.Options{
		Addr: "127.0.0.1:0", Root: "../../examples/local-any-program",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	}()
	var outputs struct{ QueueURL, TableName, DemoUser string }
	getJSON(t, cloud.URL()+"/config.json", &outputs)
	if outputs.DemoUser != "" {
		t.Errorf("a program without users has the demo user %s", outputs.DemoUser)
	}

	text := "hello"
	if _, err := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(cloud.URL()), Credentials: local}).
		SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &outputs.QueueURL, MessageBody: &text}); err != nil {
		t.Fatal(err)
	}
	tables := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: aws.String(cloud.URL()), Credentials: local})
	for {
		found, err := tables.Scan(t.Context(), &dynamodb.ScanInput{TableName: &outputs.TableName})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Items) > 0 {
			if got, ok := found.Items[0]["text"].(*types.AttributeValueMemberS); !ok || got.Value != text {
				t.Errorf("the table holds %v, want %q", found.Items, text)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Nothing is served where a program has no page.
func TestProgramWithoutAPage(t *testing.T) {
	t.Parallel()
	nothing := localcloud.Program{Declare: func(*pulumi.Context, localcloud.Setup) error { return nil }}
	cloud, err := localcloud.Run(t.Context(), nothing, localcloud.Options{Addr: "127.0.0.1:0", Root: "../../examples/local-any-program"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cloud.Close() }()
	response, err := http.Get(cloud.URL() + "/") //nolint:noctx // ends with the cloud
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("/ answers %d, want 404", response.StatusCode)
	}
}

var local = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url) //nolint:gosec,noctx // of the cloud
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
