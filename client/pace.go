package client

import "time"

// How a client that hears nothing asks for what it misses.
const (
	silence        = 15 * time.Second
	silenceJitter  = 5 * time.Second
	firstAskDelay  = 250 * time.Millisecond
	maxAskDelay    = 5 * time.Second
	asksBeforeRead = 3
	maxReadDelay   = 30 * time.Second
)

// action is what an open request needs done.
type action int

const (
	wait action = iota
	resume
	read
)

// pace decides when an open request asks for a resume, and when it reads its
// state by GET instead. It is a pure state machine: times are given to it.
type pace struct {
	random func() float64

	quietUntil time.Time     // when silence has lasted too long
	wanted     bool          // a resume is due: a (re)connection, a late join
	asks       int           // resumes since anything was applied
	askAfter   time.Time     // earliest time of the next resume
	askDelay   time.Duration // back-off between resumes
	readWanted bool          // the state is to be read first
	readAfter  time.Time     // earliest time of the next read
	reads      int           // reads that failed in a row
}

// newPace starts the clock of a request that was just submitted.
func newPace(now time.Time, random func() float64) *pace {
	p := &pace{random: random, askDelay: firstAskDelay}
	p.hear(now)
	return p
}

// hear notes a frame of the request, of whatever use.
func (p *pace) hear(now time.Time) {
	p.quietUntil = now.Add(silence + time.Duration(p.random()*float64(silenceJitter)))
}

// progress notes that something was applied.
func (p *pace) progress(now time.Time) {
	p.hear(now)
	p.asks, p.askDelay = 0, firstAskDelay
	p.askAfter = now.Add(p.askDelay)
}

// next says what to do at now, or until when to wait. open says whether there
// is a socket, gap whether frames are known to be missing.
func (p *pace) next(now time.Time, open, gap bool) (action, time.Time) {
	silent := !now.Before(p.quietUntil)
	if p.readWanted || silent && (!open || p.asks >= asksBeforeRead) || gap && p.asks >= asksBeforeRead {
		if now.Before(p.readAfter) {
			return wait, p.readAfter
		}
		return read, now
	}
	if !open || !p.wanted && !gap && !silent {
		return wait, p.quietUntil
	}
	if now.Before(p.askAfter) {
		return wait, p.askAfter
	}
	return resume, now
}

// asked notes that a resume was sent.
func (p *pace) asked(now time.Time) {
	p.wanted = false
	p.asks++
	p.askAfter = now.Add(p.askDelay)
	p.askDelay = min(2*p.askDelay, maxAskDelay)
	p.hear(now)
}

// readDone notes that the state was read. far says that it was read because
// the client was far behind, or just joined: what followed the state is then
// asked for.
func (p *pace) readDone(now time.Time) {
	p.wanted = p.wanted || p.readWanted
	p.readWanted, p.reads, p.asks = false, 0, 0
	p.hear(now)
}

// readFailed notes that the state could not be read for now.
func (p *pace) readFailed(now time.Time) {
	p.reads++
	p.readAfter = now.Add(firstAskDelay + fullJitter(time.Second, maxReadDelay, p.reads, p.random))
}
