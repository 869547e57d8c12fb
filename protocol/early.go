package protocol

import "time"

// EarlyFor is how long a client keeps frames of a request that it does not
// know yet: they may come before the 202 that names it.
const EarlyFor = 30 * time.Second

// maxEarlyBytes bounds what the frames carry that Early keeps. A user's other
// devices cause frames of unknown requests, too; what is dropped here comes
// again with a resume.
const maxEarlyBytes = 4 << 20

// Early keeps frames of requests that are not known yet for EarlyFor. The zero
// value is ready; it is not safe for concurrent use.
type Early struct {
	frames []earlyFrame // oldest first
	bytes  int
}

type earlyFrame struct {
	frame Frame
	at    time.Time
}

// Keep stores a frame that came at now and forgets what is too old.
func (e *Early) Keep(f Frame, now time.Time) {
	e.frames = append(e.frames, earlyFrame{f, now})
	e.bytes += f.size()
	drop := 0
	for drop < len(e.frames) && (e.bytes > maxEarlyBytes || now.Sub(e.frames[drop].at) > EarlyFor) {
		e.bytes -= e.frames[drop].frame.size()
		drop++
	}
	clear(e.frames[:drop])
	e.frames = e.frames[drop:]
}

// Take removes and returns the frames of a request that are not too old at
// now, in the order in which they came.
func (e *Early) Take(requestID string, now time.Time) []Frame {
	var taken []Frame
	kept := e.frames[:0]
	for _, early := range e.frames {
		switch {
		case early.frame.RequestID != requestID:
			kept = append(kept, early)
			continue
		case now.Sub(early.at) <= EarlyFor:
			taken = append(taken, early.frame)
		}
		e.bytes -= early.frame.size()
	}
	clear(e.frames[len(kept):])
	e.frames = kept
	return taken
}

// size is about what a frame costs to keep, in bytes.
func (f Frame) size() int {
	return 256 + len(f.Text) + len(f.Signature) + len(f.Redacted) + len(f.Input) + len(f.Message)
}
