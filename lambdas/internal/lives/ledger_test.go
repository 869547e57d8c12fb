package lives_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// ledger sees every committed write of accounts and records and compares the
// two: the invariants that hold always.
type ledger struct {
	world *world
	store *dynamo.Store

	mu      sync.Mutex // held over each such write: they are seen one by one
	users   map[string]*history
	killed  map[life.Key]time.Time // by request: when the process of its attempt was killed
	reached map[string]time.Time   // by period: when the service had spent its budget
	longest time.Duration          // from a kill to the next attempt
	deaths  int
}

// history is what was seen of a user.
type history struct {
	account  life.Account
	records  map[string]life.Record
	admitted []time.Time     // createdAt of every admission
	settled  map[string]bool // requests that left the open set
	excess   map[string]int64
	overcost map[string]protocol.USD // charged beyond what was reserved, by period
}

// commit runs one call of the database. A write of accounts or records is
// followed by a look at what it did.
func (l *ledger) commit(p *process, c *call, act func() *http.Response) *http.Response {
	wrote := writtenBy(c)
	if wrote.user == "" {
		return act()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	response := act()
	if response.StatusCode == http.StatusOK {
		l.observe(p, wrote)
	}
	return response
}

// written is what a call writes of a user.
type written struct {
	user    string // "": nothing
	account bool
	records []string // request ids
}

func writtenBy(c *call) (w written) {
	switch c.operation {
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems":
	default:
		return w
	}
	for _, at := range c.places() {
		user, ofUser := strings.CutPrefix(at.pk, "u#")
		id, ofRequest := strings.CutPrefix(at.sk, "r#")
		switch {
		case !ofUser:
		case ofRequest:
			w.user, w.records = user, append(w.records, id)
		case at.sk == "account":
			w.user, w.account = user, true
		}
	}
	return w
}

// open reports whether anybody has an open request.
func (l *ledger) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.users {
		if len(h.account.Open) > 0 {
			return true
		}
	}
	return false
}

// record returns a record as it was last written.
func (l *ledger) record(user, requestID string) life.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users[user].records[requestID]
}

// observe compares what is stored of a user with what was stored before.
func (l *ledger) observe(p *process, wrote written) {
	ctx := context.Background()
	h := l.users[wrote.user]
	if h == nil {
		h = &history{records: map[string]life.Record{}, settled: map[string]bool{}, excess: map[string]int64{}, overcost: map[string]protocol.USD{}}
		l.users[wrote.user] = h
	}
	account := h.account
	if wrote.account {
		var err error
		if account, err = l.store.Account(ctx, wrote.user); err != nil {
			l.world.t.Errorf("reading user %s: %v", wrote.user, err)
			return
		}
	}
	for _, id := range wrote.records {
		before, known := h.records[id]
		now, err := l.store.Record(ctx, life.Key{UserID: wrote.user, RequestID: id})
		switch {
		case err == nil:
			h.records[id] = now
			l.step(p, h, account, before, known, now)
		case !errors.Is(err, life.ErrNotFound):
			l.world.t.Errorf("reading request %s: %v", id, err)
			return
		case known:
			delete(h.records, id)
			l.world.endNeverVanishes(before)
		}
	}
	for _, id := range h.account.Open {
		if !slices.Contains(account.Open, id) {
			l.world.settledOnce(h, id, h.records[id])
		}
	}
	h.account = account
	l.world.ledgerAlways(h)
	l.world.tokensWithinExcess(h)
	if wrote.account {
		l.world.serviceLedger(ctx, l)
	}
}

// misses compares what was seen of a user with all that is stored of him: a
// write of what its call does not name would go unseen.
func (l *ledger) misses(h *history) bool {
	ctx := context.Background()
	account, err := l.store.Account(ctx, h.account.UserID)
	records, recordsErr := l.store.RecordsOf(ctx, h.account.UserID)
	stored := map[string]life.Record{}
	for _, r := range records {
		stored[r.RequestID] = r
	}
	return err != nil || recordsErr != nil || !reflect.DeepEqual(account, h.account) || !reflect.DeepEqual(stored, h.records)
}

// step judges what became of one record.
func (l *ledger) step(p *process, h *history, account life.Account, before life.Record, known bool, now life.Record) {
	switch {
	case !known:
		h.admitted = append(h.admitted, now.CreatedAt)
		l.world.capsAtAdmission(h, account, now)
		if p != nil && now.Status == protocol.StatusStreaming { // born claimed
			p.hold(now.Key)
			p.claimed[now.RequestID] = now.Attempt
		}
		return
	case before.Status.Terminal():
		l.world.endNeverChanges(before, now)
		return
	}
	if now.Attempt > before.Attempt {
		l.world.nobodyEndsAHealthyAttempt(before, now)
		l.next(p, now)
	}
	if now.Status.Terminal() {
		delete(l.killed, now.Key) // the last call of its killed process, if not next's
		l.world.note("end %s: %s %s attempt %d seq %d", now.RequestID, now.Status, now.ErrorCode, now.Attempt, now.EndSeq)
	}
}

// next notes that a process has claimed a request, or that it was ended.
func (l *ledger) next(p *process, now life.Record) {
	if at, ok := l.killed[now.Key]; ok {
		gap := time.Since(at)
		l.longest = max(l.longest, gap)
		l.world.nextAttemptSoon(now, gap)
		delete(l.killed, now.Key)
	}
	if p != nil && now.Status == protocol.StatusStreaming {
		l.world.note("claim %s: attempt %d by a process with skew %v", now.RequestID, now.Attempt, p.skew)
		p.claimed[now.RequestID] = now.Attempt
	}
}

// died notes that a process was killed, and with which attempts. A message that
// it had not yet claimed is lost for as long as the queue hides it.
func (l *ledger) died(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range p.batch() {
		h := l.users[key.UserID]
		if h == nil {
			continue
		}
		r := h.records[key.RequestID]
		if r.Status == protocol.StatusStreaming && p.claimed[key.RequestID] == r.Attempt {
			l.killed[key] = time.Now()
			l.deaths++
			l.world.note("killed %s: attempt %d", key.RequestID, r.Attempt)
		} else if p.function != "completions" { // which holds no message that another attempt waits for
			delete(l.killed, key)
		}
	}
}

// frames sees every frame that is posted, whether or not it arrives.
type frames struct {
	world *world

	mu   sync.Mutex
	seen map[string]string // by request, attempt and seq
	ends map[string]string // by request
}

func (f *frames) posted(frame []byte) {
	decoded, err := protocol.DecodeFrame(frame)
	if err != nil || len(frame) > protocol.MaxFrameBytes {
		f.world.violate(8, "posted %q: %v", frame, err)
		return
	}
	if decoded.RequestID == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	place := fmt.Sprintf("%s/%d/%d", decoded.RequestID, decoded.Attempt, *decoded.Seq)
	f.world.equalFramesAreByteEqual(f.seen[place], string(frame), decoded)
	f.seen[place] = string(frame)
	if decoded.Ends() {
		f.world.oneEndFrame(f.ends[decoded.RequestID], string(frame))
		f.ends[decoded.RequestID] = string(frame)
	}
}

// has reports whether a frame of that type was posted at that place.
func (f *frames) has(id string, attempt, seq int, kind protocol.FrameType) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	decoded, err := protocol.DecodeFrame([]byte(f.seen[fmt.Sprintf("%s/%d/%d", id, attempt, seq)]))
	return err == nil && decoded.Type == kind
}
