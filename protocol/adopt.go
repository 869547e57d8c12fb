package protocol

import "strings"

// Adopt takes the state of the request as GET /requests/{requestId} gave it,
// for a client that heard nothing for long or is far behind. A state older
// than what the socket brought changes nothing; the state of a request that
// has ended ends it.
func (a *Assembler) Adopt(s RequestState) Change {
	if a.end != nil || s.Attempt < a.attempt {
		return Change{}
	}
	if s.Status.Terminal() {
		return a.adoptEnd(s)
	}
	if s.Attempt == a.attempt && s.LastSeq <= a.Last() {
		return Change{Gap: a.Gap()}
	}
	change := Change{}
	if s.Attempt > a.attempt {
		change.Restarted = a.void(s.Attempt)
	}
	replaced, added := a.replace(s.Text)
	change.Restarted = change.Restarted || replaced
	change.Text = added
	a.seen, a.lastSeq = s.LastSeq >= 0, max(s.LastSeq, 0)
	more := a.drain()
	change.Text += more.Text
	change.Ended, change.Gap = more.Ended, a.Gap()
	return change
}

// adoptEnd ends the request with what its record says. The text of a request
// that did not succeed may lag what the socket brought, which then stays.
func (a *Assembler) adoptEnd(s RequestState) Change {
	change := Change{}
	if s.Status == StatusSucceeded || !strings.HasPrefix(a.Text(), s.Text) {
		change.Restarted, change.Text = a.replace(s.Text)
	}
	a.attempt, a.seen, a.lastSeq = s.Attempt, s.LastSeq >= 0, max(s.LastSeq, 0)
	a.finish(s.EndFrame())
	change.Ended = true
	return change
}

// replace makes the text what a state says. It reports whether text that was
// there is void, and what has to be appended to what remains.
func (a *Assembler) replace(text string) (voided bool, added string) {
	if rest, ok := strings.CutPrefix(text, a.Text()); ok {
		a.text.WriteString(rest)
		return false, rest
	}
	a.text.Reset()
	a.text.WriteString(text)
	return true, text
}

// drain drops the frames that a state has overtaken and applies those that
// follow it.
func (a *Assembler) drain() Change {
	for seq := range a.ahead {
		if seq <= a.Last() {
			delete(a.ahead, seq)
		}
	}
	next, ok := a.ahead[a.Last()+1]
	if !ok {
		return Change{}
	}
	delete(a.ahead, *next.Seq)
	return a.applyCurrent(next)
}

// EndFrame is the end of a request as its state tells it. It must not be
// called on the state of an open request.
func (s RequestState) EndFrame() Frame {
	if s.Status == StatusSucceeded {
		usage := TokenUsage{}
		if s.Usage != nil {
			usage = *s.Usage
		}
		return DoneFrame(s.RequestID, s.Attempt, max(s.LastSeq, 0), s.StopReason, usage)
	}
	e := RequestError{Code: CodeInternal, Message: "the request failed"}
	if s.Status == StatusCancelled {
		e = RequestError{Code: CodeCancelled, Message: "the request was cancelled", Retryable: true}
	}
	if s.Error != nil {
		e = *s.Error
	}
	return ErrorFrame(s.RequestID, s.Attempt, max(s.LastSeq, 0), e)
}
