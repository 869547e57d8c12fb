package lives_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
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

var userPattern = regexp.MustCompile(`"u#([a-z0-9]+)"`)

// commit runs one call of the database. A write of accounts or records is
// followed by a look at what it did.
func (l *ledger) commit(p *process, c *call, act func() *http.Response) *http.Response {
	user := userPattern.FindSubmatch(c.body)
	if user == nil || !isWrite(c) {
		return act()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	response := act()
	if response.StatusCode == http.StatusOK {
		l.observe(p, string(user[1]))
	}
	return response
}

// record returns a record as it was last written.
func (l *ledger) record(user, requestID string) life.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users[user].records[requestID]
}

func isWrite(c *call) bool {
	switch c.operation {
	case "UpdateItem", "TransactWriteItems":
		return true
	case "PutItem", "DeleteItem":
		return !bytes.Contains(c.body, []byte(`"`+tables.Connections+`"`))
	}
	return false
}

// observe compares what is stored of a user with what was stored before.
func (l *ledger) observe(p *process, user string) {
	ctx := context.Background()
	account, err := l.store.Account(ctx, user)
	records, recordsErr := l.store.RecordsOf(ctx, user)
	if err != nil || recordsErr != nil {
		l.world.t.Errorf("reading user %s: %v, %v", user, err, recordsErr)
		return
	}
	h := l.users[user]
	if h == nil {
		h = &history{records: map[string]life.Record{}, settled: map[string]bool{}, excess: map[string]int64{}, overcost: map[string]protocol.USD{}}
		l.users[user] = h
	}
	now := map[string]life.Record{}
	for _, r := range records {
		now[r.RequestID] = r
		before, known := h.records[r.RequestID]
		l.step(p, h, account, before, known, r)
	}
	for id, r := range h.records {
		if _, there := now[id]; !there {
			l.world.endNeverVanishes(r)
		}
	}
	for _, id := range h.account.Open {
		if !slices.Contains(account.Open, id) {
			l.world.settledOnce(h, id, now[id])
		}
	}
	h.account, h.records = account, now
	l.world.ledgerAlways(h)
	l.world.tokensWithinExcess(h)
	l.world.serviceLedger(ctx, l)
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
