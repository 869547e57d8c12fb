package main

import (
	"fmt"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// price is what AWS asks for one unit of a counter, in US dollars, us-east-1.
type price struct {
	what    string
	counter string
	dollars float64
	source  string
}

// million is what most prices are per.
const million = 1e6

// prices, read in November 2026 from the sources named. Free tiers, volume
// discounts, storage, logs and idle polling of the queue are left out.
var prices = []price{
	{"model, output tokens", usage.ModelOutTokens, 2.75 / million, "Amazon Nova 2 Lite, models.dev, 2026-07-02"},
	{"model, input tokens", usage.ModelInTokens, 0.33 / million, "Amazon Nova 2 Lite, models.dev, 2026-07-02"},
	{"WebSocket messages", usage.FramesSent, 1.00 / million, "aws.amazon.com/api-gateway/pricing"},
	{"Lambda GB-seconds", usage.GBSeconds, 0.0000133334, "arm64, cloudchipr.com/blog/aws-lambda-pricing, 2025"},
	{"Lambda invocations", usage.Invocations, 0.20 / million, "Lambda plans of api-evangelist, 2026-09-20"},
	{"DynamoDB write units", usage.WriteUnits, 0.625 / million, "on demand, airbyte.com, 2025-07"},
	{"DynamoDB read units", usage.ReadUnits, 0.125 / million, "on demand, airbyte.com, 2025-07"},
	{"REST requests", usage.RestRequests, 3.50 / million, "amnic.com, 2026"},
	{"SQS requests", usage.QueueRequests, 0.40 / million, "standard queue, cloudburn.io, 2026-03"},
	{"bytes out, WebSocket", usage.BytesSent, 0.09 / 1e9, "amnic.com, 2026"},
	{"bytes out, REST", usage.RestBytesSent, 0.09 / 1e9, "amnic.com, 2026"},
}

// ofModel reports whether the model's provider is paid, and not the service.
func (p price) ofModel() bool {
	return p.counter == usage.ModelInTokens || p.counter == usage.ModelOutTokens
}

// billed is how many requests a bill is of.
const billed = 1000

// cost is what billed requests pay for a counter.
func (p price) cost(counters map[string]float64) float64 {
	return counters[p.counter] * p.dollars * billed
}

// besideModel is what billed requests cost without the model.
func besideModel(counters map[string]float64) (total float64) {
	for _, p := range prices {
		if !p.ofModel() {
			total += p.cost(counters)
		}
	}
	return total
}

// addCosts estimates what a thousand such requests cost, the dearest first.
func addCosts(r *result, counters map[string]float64) {
	dearest := slices.Clone(prices)
	slices.SortStableFunc(dearest, func(a, b price) int {
		switch ca, cb := a.cost(counters), b.cost(counters); {
		case ca > cb:
			return -1
		case ca < cb:
			return 1
		}
		return 0
	})
	var total float64
	for _, p := range dearest {
		total += p.cost(counters)
	}
	r.add(measure{what: "cost of 1,000 requests, estimated", value: dollars(total), spread: dollars(besideModel(counters)) + " beside the model"})
	for _, p := range dearest {
		r.add(measure{
			what: "  " + p.what, value: dollars(p.cost(counters)), spread: fmt.Sprintf("%.4g a request", counters[p.counter]), beside: p.source,
		})
	}
	r.note("GB-seconds are those of this machine; on AWS they depend on the memory chosen")
}

func dollars(amount float64) string { return fmt.Sprintf("$%.4f", amount) }
