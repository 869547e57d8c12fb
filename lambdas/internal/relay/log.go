package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// When the log is written, and how much at a time. DynamoDB charges by the
// kilobyte and takes items of at most 400 KB.
const (
	chunkBytes    = 1 << 10
	chunkAge      = time.Second
	maxChunkBytes = 200 << 10
	logRetry      = 50 * time.Millisecond
	maxLogRetry   = time.Second
)

// bytesPerToken estimates tokens where the model has not reported them.
const bytesPerToken = 4

// EstimateTokens is how many tokens so many bytes count for until the model
// reports them.
func EstimateTokens(bytes int64) int64 { return (bytes + bytesPerToken - 1) / bytesPerToken }

// PutChunk writes one chunk of the log of an attempt. Writing a chunk again is
// harmless.
type PutChunk func(ctx context.Context, chunk life.Chunk) error

// errLogClosed says that the attempt ended before its log was complete.
var errLogClosed = errors.New("the log was given up")

// chunkLog writes the frames of an attempt in order, one chunk at a time, while
// newer frames gather for the next.
type chunkLog struct {
	put PutChunk
	ctx context.Context // of the attempt: a log outlives no fence

	mu      sync.Mutex
	first   int      // seq of pieces[0]
	pieces  []string // not yet taken
	bytes   int
	total   int64 // bytes of all frames so far
	unshown int64 // bytes that the model produced beside them
	timer   *time.Timer
	writing bool
	due     bool // write what is there, however little
	idle    chan struct{}
	err     error
}

// append adds the text of the frame with this seq.
func (l *chunkLog) append(seq int, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pieces) == 0 {
		l.first = seq
	}
	l.pieces = append(l.pieces, text)
	l.bytes += len(text)
	l.total += int64(len(text))
	if l.bytes >= chunkBytes {
		l.start()
		return
	}
	if len(l.pieces) == 1 && !l.writing {
		l.arm()
	}
}

// count notes how much the model has produced beside the frames.
func (l *chunkLog) count(unshown int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unshown = unshown
}

func (l *chunkLog) arm() {
	if l.timer == nil {
		l.timer = time.AfterFunc(chunkAge, l.expire)
		return
	}
	l.timer.Reset(chunkAge)
}

// expire writes what has waited for chunkAge.
func (l *chunkLog) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = len(l.pieces) > 0
	l.start()
}

// start starts writing unless that goes on already.
func (l *chunkLog) start() {
	if l.writing || l.err != nil || len(l.pieces) == 0 {
		return
	}
	l.writing, l.idle = true, make(chan struct{})
	go l.write()
}

// write writes chunks until too little is left for one.
func (l *chunkLog) write() {
	for {
		chunk, ok := l.take()
		if !ok {
			return
		}
		if err := l.persist(chunk); err != nil {
			l.fail(err)
			return
		}
	}
}

// take cuts the next chunk off. Without one it ends the writing.
func (l *chunkLog) take() (life.Chunk, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pieces) == 0 || (l.bytes < chunkBytes && !l.due) {
		l.writing = false
		close(l.idle)
		if len(l.pieces) > 0 {
			l.arm()
		}
		return life.Chunk{}, false
	}
	n, size := 0, 0
	for n < len(l.pieces) && (n == 0 || size+len(l.pieces[n]) <= maxChunkBytes) {
		size += len(l.pieces[n])
		n++
	}
	chunk := life.Chunk{FirstSeq: l.first, Lengths: make([]int, n), Text: strings.Join(l.pieces[:n], "")}
	for i, piece := range l.pieces[:n] {
		chunk.Lengths[i] = len(piece)
	}
	l.first += n
	l.bytes -= size
	chunk.OutputTokens = EstimateTokens(l.total - int64(l.bytes) + l.unshown)
	if l.pieces = l.pieces[n:]; len(l.pieces) == 0 {
		l.pieces, l.due = nil, false
	}
	return chunk, true
}

// persist writes chunk, however often it takes, until the attempt is over.
func (l *chunkLog) persist(chunk life.Chunk) error {
	for pause := logRetry; ; pause = min(2*pause, maxLogRetry) {
		err := l.put(l.ctx, chunk)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			return fmt.Errorf("writing chunk %d: %w", chunk.FirstSeq, err)
		}
	}
}

func (l *chunkLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err, l.writing = err, false
	close(l.idle)
}

// complete writes what is left and returns when the log holds every frame.
func (l *chunkLog) complete(ctx context.Context) error {
	for {
		l.mu.Lock()
		l.stopTimer()
		if l.err != nil || (!l.writing && len(l.pieces) == 0) {
			defer l.mu.Unlock()
			return l.err
		}
		l.due = true
		l.start()
		idle := l.idle
		l.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("completing the log: %w", ctx.Err())
		}
	}
}

// abandon writes nothing more.
func (l *chunkLog) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopTimer()
	if l.err == nil {
		l.err = errLogClosed
	}
	l.pieces = nil
}

func (l *chunkLog) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
	}
}
