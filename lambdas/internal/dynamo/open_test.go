package dynamo_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// openAccounts reads the whole index by its pages.
func openAccounts(t *testing.T, db *dynamotest.Database, before time.Time) []life.OpenMark {
	t.Helper()
	var all []life.OpenMark
	for shard := range db.OpenShards() {
		var after life.OpenMark
		for more := true; more; {
			var page []life.OpenMark
			var err error
			if page, more, err = db.OpenAccounts(ctx, shard, before, after); err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(page, func(a, b life.OpenMark) int { return a.Since.Compare(b.Since) }) {
				t.Errorf("shard %d: %v is not in the order of waiting", shard, page)
			}
			for _, after = range page {
				all = append(all, life.OpenMark{UserID: after.UserID, Since: after.Since.UTC()})
			}
		}
	}
	return all
}

func wantOpen(t *testing.T, db *dynamotest.Database, want ...life.OpenMark) {
	t.Helper()
	if got := openAccounts(t, db, start.Add(time.Hour)); !reflect.DeepEqual(got, want) {
		t.Errorf("open accounts %v, want %v", got, want)
	}
}

// end ends a request and settles it.
func end(t *testing.T, db *dynamotest.Database, r life.Record) bool {
	t.Helper()
	ended, err := db.EndUnowned(ctx, r.Key, life.Ended(protocol.CodeExpired), start)
	if err != nil {
		t.Fatal(err)
	}
	settled, err := db.Settle(ctx, ended)
	if err != nil {
		t.Fatal(err)
	}
	return settled
}

// TestIndexHoldsAccountsWithOpenRequests: from the first of several open
// requests to the settlement of the last, since the first.
//
// It guards rule 5 of docs/life.md.
func TestIndexHoldsAccountsWithOpenRequests(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	first := admitted(t, db, "u")
	mark := life.OpenMark{UserID: "u", Since: start}
	wantOpen(t, db, mark)

	later := admission("u", life.NewRequestID(), func(a *life.Admission) { a.Now = start.Add(time.Minute) })
	if err := admit(t, db, later); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, db, mark)
	if got := openAccounts(t, db, start); len(got) != 0 {
		t.Errorf("open since before it began: %v", got)
	}
	if !end(t, db, first) {
		t.Error("the first of two was not settled")
	}
	wantOpen(t, db, mark)
	if !end(t, db, later.Record) {
		t.Error("the last was not settled")
	}
	wantOpen(t, db)
	if end(t, db, first) || end(t, db, later.Record) {
		t.Error("settled twice")
	}
}

// TestSettlementCosts: one write for the only open request and for a repeated
// settlement, two for one of several.
func TestSettlementCosts(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	several, last := admitted(t, db, "u"), admitted(t, db, "u")
	for _, test := range []struct {
		name   string
		record life.Record
		want   int
	}{{"one of several", several, 2}, {"the last", last, 1}, {"repeated", last, 1}} {
		ended, err := db.EndUnowned(ctx, test.record.Key, life.Ended(protocol.CodeExpired), start)
		if err != nil {
			t.Fatal(err)
		}
		before := len(db.Calls())
		if _, err := db.Settle(ctx, ended); err != nil {
			t.Fatal(err)
		}
		if got := len(db.Calls()) - before; got != test.want {
			t.Errorf("%s: %d writes, want %d", test.name, got, test.want)
		}
	}
}

// TestLeaveOpen takes out what a request that was taken back left in the index,
// and nobody who has one open.
func TestLeaveOpen(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	taken := admitted(t, db, "taken")
	if ok, err := db.TakeBack(ctx, taken); err != nil || !ok {
		t.Fatal(ok, err)
	}
	admitted(t, db, "busy")
	for _, user := range []string{"taken", "busy", "nobody"} {
		if err := db.LeaveOpen(ctx, user); err != nil {
			t.Fatal(err)
		}
	}
	wantOpen(t, db, life.OpenMark{UserID: "busy", Since: start})
}

// TestOpenAccountsAfterAMark goes on where a sweep stopped.
func TestOpenAccountsAfterAMark(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	byShard := map[int]int{}
	for n := range 64 {
		at := start.Add(time.Duration(n) * time.Second)
		if err := admit(t, db, admission(fmt.Sprintf("user%d", n), life.NewRequestID(), func(a *life.Admission) { a.Now = at })); err != nil {
			t.Fatal(err)
		}
	}
	for shard := range db.OpenShards() {
		all, _, err := db.OpenAccounts(ctx, shard, start.Add(time.Hour), life.OpenMark{})
		if err != nil {
			t.Fatal(err)
		}
		byShard[shard] = len(all)
		for n, mark := range all {
			rest, more, err := db.OpenAccounts(ctx, shard, start.Add(time.Hour), mark)
			if err != nil || more || !slices.Equal(rest, all[n+1:]) {
				t.Errorf("shard %d after %v: %v, %t, %v", shard, mark, rest, more, err)
			}
			if left, err := db.CountOpenAccounts(ctx, shard, start.Add(time.Hour), mark); err != nil || left != len(all)-n-1 {
				t.Errorf("shard %d: %d are left after %d of %d, %v", shard, left, n+1, len(all), err)
			}
		}
	}
	if len(byShard) != 16 || slices.Max(slices.Collect(maps.Values(byShard))) > 12 {
		t.Errorf("64 accounts are spread as %v", byShard)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	for _, want := range []map[int]life.OpenMark{{}, {3: {UserID: "u", Since: start}, 15: {UserID: "v", Since: start.Add(time.Second)}}, {}} {
		if len(want) > 0 || len(db.Calls()) > 1 {
			if err := db.SaveProgress(ctx, want); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Progress(ctx)
		for shard, mark := range got {
			got[shard] = life.OpenMark{UserID: mark.UserID, Since: mark.Since.UTC()}
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}
