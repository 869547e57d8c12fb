package relay

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// How frames are coalesced: the first delta leaves at once. Later text waits for
// more of it for as long as that is ago, at least eagerInterval, at most the flush
// interval: whoever has just begun to read notices each word, later he is behind.
const (
	eagerInterval = 50 * time.Millisecond
	// DefaultFlushInterval is how long the text of a request waits for its frame
	// once the answer is under way.
	DefaultFlushInterval = 200 * time.Millisecond
	// maxInterval bounds the stretch: text waits no longer for its frame.
	maxInterval = time.Second
	// postShare is the part of an interval, 1/20, that is left for the post:
	// text is to be at the gateway when the interval is over.
	postShare = 20
)

// Options say what a Stream relays, and how.
type Options struct {
	Record   life.Record // as claimed: names the request, its attempt and model
	Log      PutChunk
	Interval time.Duration // that text waits for its frame. Default: DefaultFlushInterval
	Backoff  Backoff       // nil: never stretched
}

// Stream relays the answer of one attempt.
type Stream struct {
	audience *audience
	options  Options
	log      chunkLog

	mu       sync.Mutex
	pending  strings.Builder
	kind     protocol.FrameType // of what is pending
	seq      int                // of the last frame
	shown    int64              // bytes of the model in all frames
	unshown  int64              // bytes of what else it produced
	begun    time.Time          // first piece of the answer
	flushed  time.Time          // last frame of it
	answered bool               // something beside reasoning was said
	timer    *time.Timer
	armed    bool
	due      time.Time // of the frame that the timer is armed for
	closed   bool
	left     bool
}

// Open announces the attempt to the user's sockets with its start frame. ctx
// bounds the writes of its log. The Stream must be left at last.
func (h *Hub) Open(ctx context.Context, o Options) *Stream {
	if o.Interval <= 0 {
		o.Interval = DefaultFlushInterval
	}
	s := &Stream{audience: h.join(o.Record.UserID), options: o}
	s.log.put, s.log.ctx = o.Log, ctx
	r := o.Record
	s.audience.follow()
	s.audience.broadcast(protocol.StartFrame(r.RequestID, r.Attempt, r.Model.ModelID).Encode())
	return s
}

// Write relays text, soon.
func (s *Stream) Write(text string) { s.write(protocol.FrameDelta, text) }

func (s *Stream) write(kind protocol.FrameType, text string) {
	if text == "" {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin(kind, now) {
		return
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	s.pending.WriteString(text)
	s.shown += int64(len(text))
	switch interval := s.interval(now); {
	case s.pending.Len() >= maxEncodedText:
		s.flush(now)
	case s.armed: // its frame is due already
	case now.Sub(s.flushed) >= interval:
		s.flush(now)
	default:
		s.arm(now, interval)
	}
}

// begin makes way for a piece of a kind: what is pending of another goes first.
// It is false when nothing more is relayed.
func (s *Stream) begin(kind protocol.FrameType, now time.Time) bool {
	if s.closed {
		return false
	}
	if s.kind != kind {
		s.flush(now)
		s.kind = kind
	}
	if s.begun.IsZero() {
		s.begun = now
	}
	s.answered = s.answered || kind != protocol.FrameReasoning
	return true
}

// interval is how long text that comes at now waits for its frame, unless none
// has left for as long.
func (s *Stream) interval(now time.Time) time.Duration {
	base := min(s.options.Interval, max(eagerInterval, now.Sub(s.begun)))
	base -= base / postShare
	if s.options.Backoff == nil {
		return base
	}
	return min(s.options.Backoff.Interval(base), max(base, maxInterval))
}

func (s *Stream) arm(now time.Time, wait time.Duration) {
	s.armed, s.due = true, now.Add(wait)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.tick)
		return
	}
	s.timer.Reset(wait)
}

func (s *Stream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	if !s.closed {
		s.flush(time.Now())
	}
}

// flush turns what is pending into frames.
func (s *Stream) flush(now time.Time) {
	if s.pending.Len() == 0 {
		return
	}
	for _, piece := range cut(s.pending.String(), maxEncodedText) {
		s.emit(protocol.Frame{Type: s.kind, Text: piece}, len(piece))
	}
	s.pending.Reset()
	s.flushed = now
}

// emit sends the next frame, which carries so many bytes of the model, to the
// sockets and to the log.
func (s *Stream) emit(f protocol.Frame, said int) {
	r := s.options.Record
	s.seq++
	seq := s.seq
	f.RequestID, f.Attempt, f.Seq = r.RequestID, r.Attempt, &seq
	s.audience.broadcast(f.Encode())
	s.log.append(seq, life.PieceOf(f), said)
}

// Close relays what is pending and returns when the log is complete, with the
// seq that the end frame of the attempt has.
func (s *Stream) Close(ctx context.Context) (endSeq int, err error) {
	s.mu.Lock()
	if !s.closed {
		s.flush(time.Now())
		s.stop()
	}
	endSeq = s.seq + 1
	s.mu.Unlock()
	return endSeq, s.log.complete(ctx)
}

// Leave ends the stream: unless it was closed, nothing more is relayed. Frames
// that are queued for a socket by then stay ahead of an end frame only if that
// is posted before.
func (s *Stream) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.stop()
		s.log.abandon()
	}
	if !s.left {
		s.left = true
		s.audience.hub.leave(s.audience)
	}
}

func (s *Stream) stop() {
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// Count takes so many bytes of what the model produces but nobody is shown, or
// not yet.
func (s *Stream) Count(bytes int) {
	if bytes == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unshown += int64(bytes)
	s.log.count(s.unshown)
}

// Discount forgets what Count took: the call that produced it is void.
func (s *Stream) Discount() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unshown = 0
	s.log.count(0)
}

// OutputTokens estimates the tokens of what the model has produced so far, shown
// or not.
func (s *Stream) OutputTokens() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return EstimateTokens(s.shown + s.unshown)
}

// Started reports whether the model has said anything yet.
func (s *Stream) Started() bool { return !s.Begun().IsZero() }

// Answered reports whether the model has said anything yet beside reasoning.
func (s *Stream) Answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered
}

// Begun is when the model said its first word, be it of reasoning; zero before.
func (s *Stream) Begun() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// Deserted reports whether the user had a live socket, but none for as long as
// grace.
func (s *Stream) Deserted(grace time.Duration) bool {
	return s.audience.desertedFor() >= grace
}
