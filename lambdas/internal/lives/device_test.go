package lives_test

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// How a client behaves, by the wire protocol's rules for clients.
const (
	silence      = 15 * time.Second
	firstResume  = 250 * time.Millisecond
	longestPause = 5 * time.Second
	tick         = 500 * time.Millisecond
)

// device is a client of a user: it follows the user's requests over a socket
// that it opens again whenever it breaks.
type device struct {
	world *world
	user  string
	rng   *rand.Rand

	mu     sync.Mutex
	inbox  []func() // what happened, in order
	signal chan struct{}

	// All below belongs to run.
	socket   *socket
	follows  map[string]*following
	early    protocol.Early
	dialAt   time.Time
	dialWait time.Duration
}

// following is one request as a device sees it.
type following struct {
	assembler protocol.Assembler
	ends      int // times that the end was surfaced
	uses      int // uses of tools that were surfaced
	heard     time.Time
	silences  int
	resumeAt  time.Time // not before
	pause     time.Duration
}

func newDevice(w *world, user string, seed uint64) *device {
	return &device{
		world: w, user: user, rng: rand.New(rand.NewPCG(seed, 2)), signal: make(chan struct{}, 1),
		follows: map[string]*following{},
	}
}

// do has the device do something, soon.
func (d *device) do(what func()) {
	d.mu.Lock()
	d.inbox = append(d.inbox, what)
	d.mu.Unlock()
	select {
	case d.signal <- struct{}{}:
	default:
	}
}

func (d *device) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-d.world.ctx.Done():
			return
		case <-d.signal:
			d.catchUp()
		case <-timer.C:
			d.tick()
			timer.Reset(tick)
			if d.idle() {
				timer.Stop()
			}
			continue
		}
		if !d.idle() {
			timer.Reset(tick)
		}
	}
}

// idle reports whether nothing can be due.
func (d *device) idle() bool { return d.socket != nil && d.open() == 0 }

func (d *device) open() (n int) {
	for _, f := range d.follows {
		if f.ends == 0 {
			n++
		}
	}
	return n
}

func (d *device) catchUp() {
	d.mu.Lock()
	inbox := d.inbox
	d.inbox = nil
	d.mu.Unlock()
	for _, what := range inbox {
		what()
	}
}

// follow takes up a request that somebody of the user submitted.
func (d *device) follow(id string) {
	if d.follows[id] != nil {
		return
	}
	d.follows[id] = &following{heard: time.Now(), pause: firstResume}
	for _, frame := range d.early.Take(id, time.Now()) {
		d.hear(frame)
	}
}

func (d *device) hear(frame protocol.Frame) {
	f := d.follows[frame.RequestID]
	if f == nil {
		d.early.Keep(frame, time.Now())
		return
	}
	d.see(f, f.assembler.Apply(frame))
}

func (d *device) see(f *following, change protocol.Change) {
	now := time.Now()
	if change.Restarted {
		f.uses = 0
	}
	f.uses += len(change.ToolUses)
	if change.Text != "" || change.Reasoning != "" || len(change.ToolUses) > 0 || change.Restarted || change.Ended {
		f.heard, f.silences, f.pause = now, 0, firstResume
	}
	if change.Ended {
		f.ends++
	}
	if change.Gap && f.resumeAt.Before(now) {
		f.resumeAt = now.Add(f.pause)
	}
}

func (d *device) tick() {
	if d.socket == nil {
		d.dial()
	}
	now := time.Now()
	for id, f := range d.follows {
		switch {
		case f.ends > 0:
		case f.assembler.Gap() && !now.Before(f.resumeAt):
			d.resume(id, f)
			f.pause = min(2*f.pause, longestPause)
			f.resumeAt = now.Add(f.pause)
		case now.Sub(f.heard) > silence:
			f.heard = now.Add(time.Duration(d.rng.Int64N(int64(3 * time.Second))))
			if f.silences++; f.silences%3 == 0 {
				d.read(id)
			} else {
				d.resume(id, f)
			}
		}
	}
}

func (d *device) resume(id string, f *following) {
	if d.socket != nil {
		d.world.gateway.send(d.socket, protocol.Resume(id, f.assembler.Attempt(), f.assembler.Last()))
	}
}

// read asks for the state by REST and adopts it.
func (d *device) read(id string) {
	d.world.running.Go(func() {
		answer := d.world.gateway.rest(d.user, http.MethodGet, id, "", "")
		d.world.check202Stays(id, answer)
		var state protocol.RequestState
		if answer.status == http.StatusOK && answer.into(&state) {
			d.do(func() {
				if f := d.follows[id]; f.ends == 0 {
					d.see(f, f.assembler.Adopt(state))
				}
			})
		}
	})
}

// dial opens a socket and asks for what was missed.
func (d *device) dial() {
	if time.Now().Before(d.dialAt) {
		return
	}
	var made *socket
	made = d.world.gateway.connect(d.user, func(frame []byte) {
		d.do(func() {
			if decoded, err := protocol.DecodeFrame(frame); err == nil && decoded.RequestID != "" {
				d.hear(decoded)
			}
		})
	}, func() {
		d.do(func() {
			if d.socket == made {
				d.socket = nil
			}
		})
	})
	if made == nil {
		d.dialWait = min(max(2*d.dialWait, time.Second), 20*time.Second)
		d.dialAt = time.Now().Add(d.dialWait/2 + time.Duration(d.rng.Int64N(int64(d.dialWait))))
		return
	}
	d.socket, d.dialWait = made, 0
	for id, f := range d.follows {
		if f.ends == 0 {
			d.resume(id, f)
		}
	}
}

// drop breaks the device's socket.
func (d *device) drop() {
	d.do(func() {
		if d.socket != nil {
			d.world.dice.count("websocket.closedByClient")
			d.world.gateway.close(d.socket)
		}
	})
}

// cancel asks for the end of a request over the socket.
func (d *device) cancel(id string) {
	d.do(func() {
		if d.socket != nil {
			d.world.gateway.send(d.socket, protocol.Cancel(id))
		}
	})
}
