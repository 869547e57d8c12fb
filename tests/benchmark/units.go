package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/internal/stack"
)

// The request that is metered.
const (
	meteredPrompt = 1024 // bytes
	meteredTokens = 1000
	meteredRate   = 80  // tokens a second: the answer takes longer than 10 s
	briskRate     = 200 // it does not, so that its lease is never renewed
	unitsTarget   = 9   // write units on top of the answer's own
)

// measureUnits meters one request on an otherwise idle local cloud, whose
// functions are warm, from the submission until its queue is empty again.
func measureUnits(ctx context.Context, b *bench) (result, error) {
	var r result
	c, err := b.startCloud(ctx, nil, everything)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return r, err
	}
	defer u.close()
	if _, _, err := askService(ctx, u, "Hello"); err != nil { // starts the functions
		return r, err
	}
	used, err := c.meter(ctx, u, meteredRate)
	if err != nil {
		return r, err
	}
	brisk, err := c.meter(ctx, u, briskRate)
	if err != nil {
		return r, err
	}
	addCalls(&r, used)
	r.add(measure{
		what: "DynamoDB write units", value: fmt.Sprintf("%g", used.Counters[usage.WriteUnits]), spread: fmt.Sprintf("%g of them store the answer", used.answer),
		beside: fmt.Sprintf("attributed to the request %g", used.attributed),
	})
	used.addRest(&r, fmt.Sprintf("  units without the answer, %d tokens/s", meteredRate))
	brisk.addRest(&r, fmt.Sprintf("  units without the answer, %d tokens/s", briskRate))
	r.add(measure{what: "DynamoDB read units", value: fmt.Sprintf("%g", used.Counters[usage.ReadUnits])})
	addCosts(&r, used.Counters)
	r.note("prompt %d bytes, answer %d tokens at %d tokens/s unless said, one socket; totals of /_local/usage, so what names only the user counts too", meteredPrompt, meteredTokens, meteredRate)
	return r, nil
}

// metered is the difference that a request made.
type metered struct {
	usage.Report
	attributed float64 // write units that the report lists under the request
	answer     float64 // write units that store the answer
	took       time.Duration
}

// meteredText is the prompt of the request.
func meteredText() string {
	return strings.Repeat("Why is the sky blue? ", meteredPrompt/20)[:meteredPrompt]
}

// meteredScript has the model answer at a rate.
func meteredScript(rate int) string {
	return fmt.Sprintf("tokens=%d rate=%d seed=7", meteredTokens, rate)
}

// addRest adds the write units that do not store the answer.
func (m metered) addRest(r *result, what string) {
	units := m.Counters[usage.WriteUnits] - m.answer
	r.add(measure{
		what: what, value: fmt.Sprintf("%g", units), spread: fmt.Sprintf("%g updates of items; %g are the index's", m.Calls["dynamodb"]["UpdateItem"], m.Counters[usage.IndexWriteUnits]),
		target: fmt.Sprintf("≤ %d", unitsTarget), met: units <= unitsTarget,
	})
}

// meter runs a request whose answer comes at a rate.
func (c *cloud) meter(ctx context.Context, u *user, rate int) (metered, error) {
	if err := pause(ctx, settleTime); err != nil {
		return metered{}, err
	}
	before, _, err := c.usage(ctx)
	if err != nil {
		return metered{}, err
	}
	begun := time.Now()
	id, err := u.submit(ctx, scripted(meteredText(), meteredScript(rate)))
	if err != nil {
		return metered{}, err
	}
	if _, err := u.streams(ctx, id); err != nil {
		return metered{}, err
	}
	took := time.Since(begun)
	if err := pause(ctx, settleTime); err != nil {
		return metered{}, err
	}
	after, requests, err := c.usage(ctx)
	if err != nil {
		return metered{}, err
	}
	answer, err := c.answerUnits(ctx, id)
	return metered{difference(after, before), requests[id].Counters[usage.WriteUnits], answer, took}, err
}

// settleTime is how long what follows an end frame may take.
const settleTime = 1500 * time.Millisecond

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *cloud) usage(ctx context.Context) (total usage.Report, requests map[string]usage.Report, err error) {
	var answer struct {
		usage.Report
		Requests map[string]usage.Report `json:"requests"`
	}
	err = c.get(ctx, "/_local/usage?requests", &answer)
	return answer.Report, answer.Requests, err
}

func difference(after, before usage.Report) usage.Report {
	d := usage.Report{Calls: map[string]map[string]float64{}, Counters: map[string]float64{}}
	for service, operations := range after.Calls {
		d.Calls[service] = map[string]float64{}
		for operation, n := range operations {
			d.Calls[service][operation] = n - before.Calls[service][operation]
		}
	}
	for name, n := range after.Counters {
		d.Counters[name] = n - before.Counters[name]
	}
	return d
}

// addCalls lists the calls by service.
func addCalls(r *result, used metered) {
	for _, service := range slices.Sorted(maps.Keys(used.Calls)) {
		var total float64
		var list []string
		for _, operation := range slices.Sorted(maps.Keys(used.Calls[service])) {
			if n := used.Calls[service][operation]; n > 0 {
				total += n
				list = append(list, fmt.Sprintf("%s %g", logical(operation), n))
			}
		}
		if total > 0 {
			r.add(measure{what: "calls of " + service, value: fmt.Sprintf("%g", total), spread: strings.Join(list, ", ")})
		}
	}
}

// physicalName is the name of a function: service, function and what makes it
// unique.
var physicalName = regexp.MustCompile(`^` + stack.ServiceName + `-([a-z]+)-[0-9a-f]+$`)

// logical shortens the name of a function; an operation stays as it is.
func logical(operation string) string { return physicalName.ReplaceAllString(operation, "$1") }

// answerUnits is what it takes to write the stored answer of a request: each
// item of it is put again, unchanged, which DynamoDB charges as the first time.
func (c *cloud) answerUnits(ctx context.Context, requestID string) (float64, error) {
	db := dynamodb.New(dynamodb.Options{Region: c.config.Region, BaseEndpoint: aws.String(c.URL()), Credentials: operator, HTTPClient: plainBodies{}})
	found, err := db.Query(ctx, &dynamodb.QueryInput{
		TableName: &c.config.RequestsTableName, KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "r#" + requestID}, ":sk": &types.AttributeValueMemberS{Value: "c#"},
		},
	})
	if err != nil {
		return 0, fmt.Errorf("reading the stored answer: %w", err)
	}
	if len(found.Items) == 0 {
		return 0, fmt.Errorf("request %s has no stored answer", requestID)
	}
	var units float64
	for _, item := range found.Items {
		put, err := db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &c.config.RequestsTableName, Item: item, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		if err != nil {
			return 0, fmt.Errorf("writing the answer again: %w", err)
		}
		units += aws.ToFloat64(put.ConsumedCapacity.CapacityUnits)
	}
	return units, nil
}
