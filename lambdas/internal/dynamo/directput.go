package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// directPut puts items without the SDK's client around the call, which takes more
// time than the call: a stream puts a chunk of its log each second. It knows
// success alone. Whatever else there is to know of a call is for the SDK to find
// out, by making it again: a put without a condition may be repeated.
type directPut struct {
	endpoint url.URL
	client   *awsconfig.SignedClient
}

// newDirectPut returns nil for what is not the SDK's client, or has no endpoint.
func newDirectPut(api API) *directPut {
	client, ok := api.(*dynamodb.Client)
	if !ok {
		return nil
	}
	o := client.Options()
	resolved, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), dynamodb.EndpointParameters{Region: &o.Region, Endpoint: o.BaseEndpoint}.WithDefaults())
	if err != nil {
		return nil
	}
	if resolved.URI.Path == "" {
		resolved.URI.Path = "/"
	}
	cfg := aws.Config{Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient}
	return &directPut{resolved.URI, awsconfig.NewSignedClient(cfg, "dynamodb")}
}

// put reports whether it has put the item.
func (p *directPut) put(ctx context.Context, table string, i item) bool {
	if p == nil {
		return false
	}
	attributes, ok := wireItem(i)
	if !ok {
		return false
	}
	body, err := json.Marshal(map[string]any{"TableName": table, "Item": attributes})
	return err == nil && p.call(ctx, body) == nil
}

func (p *directPut) call(ctx context.Context, body []byte) error {
	endpoint := p.endpoint
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810.PutItem"}}
	response, err := p.client.Do(ctx, http.MethodPost, &endpoint, header, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // what it says has been read
	_, err = io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return err
}

// wireItem is an item as DynamoDB takes it in JSON, if all its values are of the
// kinds that items here have.
func wireItem(i item) (map[string]any, bool) {
	plain := make(map[string]any, len(i))
	for name, value := range i {
		var ok bool
		if plain[name], ok = wireValue(value); !ok {
			return nil, false
		}
	}
	return plain, true
}

func wireValue(value types.AttributeValue) (any, bool) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]string{"S": v.Value}, true
	case *types.AttributeValueMemberN:
		return map[string]string{"N": v.Value}, true
	case *types.AttributeValueMemberB:
		return map[string][]byte{"B": v.Value}, true
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for n, one := range v.Value {
			var ok bool
			if list[n], ok = wireValue(one); !ok {
				return nil, false
			}
		}
		return map[string]any{"L": list}, true
	}
	return nil, false
}
