package protocol

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
	replaced := a.replace(AnswerOf(s))
	replaced.Restarted = replaced.Restarted || change.Restarted
	change = replaced
	a.seen, a.lastSeq = s.LastSeq >= 0, max(s.LastSeq, 0)
	change.add(a.drain())
	change.Gap = a.Gap()
	return change
}

// adoptEnd ends the request with what its record says. The text of a request
// that did not succeed may lag what the socket brought, which then stays.
func (a *Assembler) adoptEnd(s RequestState) Change {
	change := Change{}
	if told := AnswerOf(s); s.Status == StatusSucceeded || !a.said().beginsWith(told) {
		change = a.replace(told)
	}
	a.attempt, a.seen, a.lastSeq = s.Attempt, s.LastSeq >= 0, max(s.LastSeq, 0)
	a.finish(s.EndFrame())
	change.Ended = true
	return change
}

// replace makes the answer what a state says. The change is what has to be
// appended, unless what was there is void.
func (a *Assembler) replace(told *Answer) (change Change) {
	old := a.said()
	a.answer = told
	if !told.beginsWith(old) {
		return Change{Restarted: true, Text: told.Text(), Reasoning: told.Reasoning(), ToolUses: told.ToolUses()}
	}
	return Change{
		Text: told.Text()[len(old.Text()):], Reasoning: told.Reasoning()[len(old.Reasoning()):],
		ToolUses: told.toolUsesFrom(len(old.ToolUses())),
	}
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
