package recovery_test

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
)

var (
	accountsFlag = flag.Int("accounts", 5_000, "accounts without open requests in TestSweepCostFollowsOpenRequests")
	openFlag     = flag.Int("open", 200, "accounts with a request whose message is lost, beside them")
)

// units is a meter that adds up.
type units struct {
	mu   sync.Mutex
	used map[string]float64
}

func (u *units) Add(counter string, amount float64, _ []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used[counter] += amount
}

// TestSweepCostFollowsOpenRequests sweeps a table of many accounts, few of which
// have a request open: it finds each, and reads two items for it and a page of
// each shard, however many accounts there are.
//
//	go test ./lambdas/internal/recovery -run TestSweepCost -accounts 1000000 -v
//
// does so among a million, which takes 20 s and some GB of memory.
func TestSweepCostFollowsOpenRequests(t *testing.T) {
	t.Parallel()
	counted := &units{used: map[string]float64{}}
	w := newWorld(t, dynamodb.WithMeter(counted))
	fill(t, w.db, *accountsFlag)
	for n := range *openFlag {
		w.admit(t, fmt.Sprintf("open%d", n))
	}
	w.clock = noon.Add(2 * time.Minute)
	clear(counted.used)

	begun := time.Now()
	report, err := w.Sweep(t.Context())
	took := time.Since(begun)
	if err != nil || report.Accounts != *openFlag || report.Requests != *openFlag || len(w.sent) != *openFlag {
		t.Fatalf("%+v, %v; %d messages were sent again, want %d", report, err, len(w.sent), *openFlag)
	}
	read, most := counted.used[usage.ReadUnits], float64(2**openFlag+w.db.OpenShards())
	if read > most {
		t.Errorf("%g read units, want at most %g", read, most)
	}
	t.Logf("%d accounts, %d open requests: swept in %v with %g read units", *accountsFlag, *openFlag, took.Round(time.Millisecond), read)
}

// fill adds accounts that have nothing open.
func fill(t *testing.T, db *dynamotest.Database, accounts int) {
	t.Helper()
	number := func(text string) attribute.Value { return attribute.Value{Kind: attribute.Number, Text: text} }
	anchor := attribute.Value{Kind: attribute.StringSet, Set: []string{"-"}}
	zero, some := number("0"), number("12345")
	items := make([]attribute.Item, accounts)
	for n := range items {
		items[n] = attribute.Item{
			"pk": attribute.S(fmt.Sprintf("u#%08d-0000-4000-8000-000000000000", n)), "sk": attribute.S("account"),
			"inFlight": zero, "open": anchor, "used#2026-11": some, "held#2026-11": some, "tokens#2026-11": some,
		}
	}
	snapshot := db.Service.Snapshot(nil)
	snapshot.Tables[dynamotest.Tables.Quota] = items
	if dropped, err := db.Service.Restore(snapshot); err != nil || len(dropped) > 0 {
		t.Fatal(dropped, err)
	}
}
