package recovery_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/recovery"
)

// index is a store whose accounts have one request open each, two shards of
// pages of ten. Looking at a request takes a second.
type index struct {
	recovery.Store
	recovery.Life

	mu       sync.Mutex
	accounts map[string]time.Time
	healed   map[string]int
	progress map[int]life.OpenMark
	saved    int
	broken   map[int]error // by shard
}

func newIndex(accounts int) *index {
	x := &index{accounts: map[string]time.Time{}, healed: map[string]int{}, broken: map[int]error{}}
	for n := range accounts {
		x.accounts[fmt.Sprintf("%04d", n)] = noon.Add(time.Duration(n) * time.Second)
	}
	return x
}

func (x *index) OpenShards() int { return 2 }

func (x *index) after(shard int, before time.Time, after life.OpenMark) []life.OpenMark {
	x.mu.Lock()
	defer x.mu.Unlock()
	var marks []life.OpenMark
	for user, since := range x.accounts {
		if int(user[3]-'0')%2 == shard && since.Before(before) && (since.After(after.Since) || after.UserID == "") {
			marks = append(marks, life.OpenMark{UserID: user, Since: since})
		}
	}
	slices.SortFunc(marks, func(a, b life.OpenMark) int { return cmp.Compare(a.UserID, b.UserID) })
	return marks
}

func (x *index) OpenAccounts(_ context.Context, shard int, before time.Time, after life.OpenMark) ([]life.OpenMark, bool, error) {
	marks := x.after(shard, before, after)
	return marks[:min(10, len(marks))], len(marks) > 10, x.broken[shard]
}

func (x *index) CountOpenAccounts(_ context.Context, shard int, before time.Time, after life.OpenMark) (int, error) {
	return len(x.after(shard, before, after)), nil
}

func (x *index) Account(_ context.Context, userID string) (life.Account, error) {
	return life.Account{UserID: userID, Open: []string{"r"}}, nil
}

func (x *index) Record(_ context.Context, key life.Key) (life.Record, error) {
	return life.Record{Key: key}, nil
}

// Heal takes a second and heals nothing: the request stays where it is.
func (x *index) Heal(_ context.Context, record life.Record) (bool, error) {
	time.Sleep(time.Second)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.healed[record.UserID]++
	return false, nil
}

func (x *index) Progress(context.Context) (map[int]life.OpenMark, error) { return x.progress, nil }

func (x *index) SaveProgress(_ context.Context, stopped map[int]life.OpenMark) error {
	x.saved++
	x.progress = maps.Clone(stopped)
	return nil
}

// sweep runs one with a time to live of its function.
func (x *index) sweep(t *testing.T, timeout time.Duration) (recovery.Report, string, error) {
	t.Helper()
	var measured bytes.Buffer
	s := &recovery.Service{
		Store: x, Life: x, Log: logging.New(io.Discard, 0), Metrics: metrics.New(&measured, "n", "s"),
		Now: func() time.Time { return noon.Add(time.Hour) },
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	report, err := s.Sweep(ctx)
	return report, measured.String(), err
}

// TestSweepReachesEveryone has more to look at than a sweep has time for, none of
// which can be healed: each sweep goes on where the last one stopped, and one
// after the last begins anew.
//
// It guards rule 5 of docs/life.md.
func TestSweepReachesEveryone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const accounts = 1000
		x := newIndex(accounts)
		left := accounts
		for sweeps := 1; len(x.progress) > 0 || sweeps == 1; sweeps++ {
			report, measured, err := x.sweep(t, 25*time.Second)
			if err != nil || report.Accounts == 0 || report.Accounts+report.Left != left {
				t.Fatalf("sweep %d: %+v, %v; %d were left before", sweeps, report, err, left)
			}
			if want := fmt.Sprintf(`"NotSwept":%d`, report.Left); !strings.Contains(measured, want) {
				t.Errorf("sweep %d measured %s, want %s", sweeps, measured, want)
			}
			left = report.Left
			if sweeps > 5 {
				t.Fatal("five sweeps did not reach everyone")
			}
		}
		if len(x.healed) != accounts || slices.Max(slices.Collect(maps.Values(x.healed))) != 1 {
			t.Errorf("%d of %d were looked at", len(x.healed), accounts)
		}
		if report, _, err := x.sweep(t, time.Hour); err != nil || report.Accounts != accounts || report.Left != 0 {
			t.Errorf("with time enough: %+v, %v", report, err)
		}
	})
}

// TestSweepLooksAtTheOldestFirst stops after some: of each shard, those that wait
// longest were looked at. How far the shards came is theirs to share.
func TestSweepLooksAtTheOldestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const accounts = 400
		x := newIndex(accounts)
		report, _, err := x.sweep(t, 10*time.Second)
		if err != nil || report.Accounts == 0 || report.Accounts == accounts {
			t.Fatalf("%+v, %v", report, err)
		}
		skipped := map[int]string{} // by shard
		for n := range accounts {
			user := fmt.Sprintf("%04d", n)
			older, someSkipped := skipped[n%2]
			switch {
			case x.healed[user] == 0 && !someSkipped:
				skipped[n%2] = user
			case x.healed[user] > 0 && someSkipped:
				t.Fatalf("account %s was looked at, but %s, which waits longer, was not", user, older)
			}
		}
	})
}

// TestSweepOfEnoughTimeKeepsNoProgress: it costs no write.
func TestSweepOfEnoughTimeKeepsNoProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(20)
		if _, _, err := x.sweep(t, time.Minute); err != nil || x.saved != 0 {
			t.Errorf("saved %d times, %v", x.saved, err)
		}
		x.progress = map[int]life.OpenMark{0: {UserID: "0002", Since: noon.Add(2 * time.Second)}}
		if _, _, err := x.sweep(t, time.Minute); err != nil || x.saved != 1 || len(x.progress) != 0 {
			t.Errorf("saved %d times, %v, progress %v", x.saved, err, x.progress)
		}
	})
}

// TestSweepOfABrokenShard goes on with the others and says so.
func TestSweepOfABrokenShard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(20)
		x.broken[1] = errors.New("index is being built")
		report, _, err := x.sweep(t, time.Minute)
		if err == nil || !strings.Contains(err.Error(), "index is being built") || report.Accounts != 10 {
			t.Errorf("%+v, %v, want the accounts of the other shard", report, err)
		}
	})
}

// TestSweepLeavesTheYoungAlone: what was admitted less than a minute ago cannot
// stand still yet.
func TestSweepLeavesTheYoungAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admit(t, "young")
	w.clock = noon.Add(life.HealAfter)
	if answer, err := w.handle(t, map[string]bool{"sweep": true}); err != nil || !strings.Contains(answer, `"accounts":0`) {
		t.Errorf("%s, %v", answer, err)
	}
	w.clock = w.clock.Add(time.Second)
	if answer, err := w.handle(t, map[string]bool{"sweep": true}); err != nil || !strings.Contains(answer, `"accounts":1`) || len(w.sent) != 1 {
		t.Errorf("%s, %v, sent %v", answer, err, w.sent)
	}
}

// TestSweepClosesAccountsWithNothingOpen takes out of the index what a request
// that was taken back left there.
func TestSweepClosesAccountsWithNothingOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t, "u")
	if taken, err := w.db.TakeBack(t.Context(), w.record(t, key)); err != nil || !taken {
		t.Fatal(taken, err)
	}
	w.clock = noon.Add(2 * time.Minute)
	for _, want := range []string{`"accounts":1,"requests":0`, `"accounts":0,"requests":0`} {
		if answer, err := w.handle(t, map[string]bool{"sweep": true}); err != nil || !strings.Contains(answer, want) {
			t.Errorf("%s, %v, want %s", answer, err, want)
		}
	}
}
