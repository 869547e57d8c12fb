package relay

import (
	"context"
	"errors"
	"fmt"
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
	first   int     // seq of entries[0]
	entries []entry // not yet taken
	bytes   int
	said    int64 // bytes of the model in all frames that were taken
	unshown int64 // bytes that the model produced beside them
	timer   *time.Timer
	writing bool
	due     bool // write what is there, however little
	idle    chan struct{}
	err     error
}

// entry is a frame that waits.
type entry struct {
	piece life.Piece
	said  int // bytes of the model in it
}

// append adds the frame with this seq, which carries so many bytes of the model.
func (l *chunkLog) append(seq int, piece life.Piece, said int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		l.first = seq
	}
	l.entries = append(l.entries, entry{piece, said})
	l.bytes += len(piece.Text)
	if l.bytes >= chunkBytes {
		l.start()
		return
	}
	if len(l.entries) == 1 && !l.writing {
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
	l.due = len(l.entries) > 0
	l.start()
}

// start starts writing unless that goes on already.
func (l *chunkLog) start() {
	if l.writing || l.err != nil || len(l.entries) == 0 {
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
	if len(l.entries) == 0 || (l.bytes < chunkBytes && !l.due) {
		l.writing = false
		close(l.idle)
		if len(l.entries) > 0 {
			l.arm()
		}
		return life.Chunk{}, false
	}
	size := 0
	var pieces []life.Piece
	for _, e := range l.entries {
		if len(pieces) > 0 && size+len(e.piece.Text) > maxChunkBytes {
			break
		}
		size += len(e.piece.Text)
		l.said += int64(e.said)
		pieces = append(pieces, e.piece)
	}
	chunk := life.ChunkOf(l.first, pieces)
	l.first += len(pieces)
	l.bytes -= size
	chunk.OutputTokens = EstimateTokens(l.said + l.unshown)
	if l.entries = l.entries[len(pieces):]; len(l.entries) == 0 {
		l.entries, l.due = nil, false
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
		if l.err != nil || (!l.writing && len(l.entries) == 0) {
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
	l.entries = nil
}

func (l *chunkLog) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
	}
}
