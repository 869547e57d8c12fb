package protocol

// FarBehind is how many frames a client may be behind before replaying them is
// not worth it: it reads the request's state instead. It also bounds how many
// frames an Assembler keeps for later.
const FarBehind = 500

// Change is what one frame, or one state read from the REST API, did to a
// request as its client sees it.
type Change struct {
	// Restarted says that a later attempt began: the text so far is void.
	Restarted bool
	// Text is what was appended to the text, after the restart if there was
	// one.
	Text string
	// Reasoning is what was appended to the reasoning, likewise.
	Reasoning string
	// ToolUses are the uses of tools that were added, likewise. They are to be run
	// when the request has ended with StopReasonToolUse.
	ToolUses []Block
	// Gap says that frames are missing: ask for a resume.
	Gap bool
	// FarBehind says that more than FarBehind frames are missing: read the
	// state, then resume.
	FarBehind bool
	// Ended says that this was the end of the request. At most one change of
	// a request says so.
	Ended bool
}

// Assembler puts the frames of one request back together, whatever the order,
// duplication or loss on their way, following the rules for clients of the
// wire protocol. The zero value has seen nothing. It is a pure state machine:
// it has no clock and is not safe for concurrent use.
type Assembler struct {
	attempt int
	seen    bool // some frame of this attempt was applied, so last is valid
	lastSeq int
	answer  *Answer
	ahead   map[int]Frame // frames of this attempt beyond a gap
	end     *Frame
}

// Attempt is the attempt that the text belongs to, 0 before the first frame.
func (a *Assembler) Attempt() int { return a.attempt }

// Last is the sequence number of the last frame applied, -1 before the first.
func (a *Assembler) Last() int {
	if !a.seen {
		return -1
	}
	return a.lastSeq
}

// Text is the text so far.
func (a *Assembler) Text() string { return a.said().Text() }

// Reasoning is the reasoning so far.
func (a *Assembler) Reasoning() string { return a.said().Reasoning() }

// Content is the answer so far, as blocks.
func (a *Assembler) Content() []Block { return a.said().Content() }

// said is the answer of the attempt.
func (a *Assembler) said() *Answer {
	if a.answer == nil {
		a.answer = new(Answer)
	}
	return a.answer
}

// End is the frame that ended the request, or nil while it is open.
func (a *Assembler) End() *Frame { return a.end }

// Gap reports whether frames are known to be missing.
func (a *Assembler) Gap() bool { return a.end == nil && len(a.ahead) > 0 }

// Apply takes one frame of the request from the socket.
func (a *Assembler) Apply(f Frame) Change {
	if a.end != nil || !f.numbered() || f.Seq == nil || f.Attempt < a.attempt {
		return Change{}
	}
	if f.Attempt > a.attempt {
		return a.applyLater(f)
	}
	return a.applyCurrent(f)
}

// applyLater takes a frame of an attempt that was not heard of before. An error
// ends the request at any sequence number and leaves the text as it is: whoever
// ended the request need not have known how far its attempt had come.
func (a *Assembler) applyLater(f Frame) Change {
	if f.Type == FrameError {
		a.attempt = f.Attempt
		return a.finish(f)
	}
	restarted := a.void(f.Attempt)
	change := a.applyCurrent(f)
	change.Restarted = restarted
	return change
}

// applyCurrent takes a frame of the current attempt: old ones are dropped, the
// next one is applied, one beyond a gap waits for the gap to close.
func (a *Assembler) applyCurrent(f Frame) Change {
	switch next := a.Last() + 1; {
	case *f.Seq < next:
		return Change{}
	case *f.Seq > next:
		return a.keep(f)
	}
	change := a.advance(f)
	for !change.Ended {
		waiting, ok := a.ahead[a.lastSeq+1]
		if !ok {
			break
		}
		delete(a.ahead, a.lastSeq+1)
		change.add(a.advance(waiting))
	}
	change.Gap = a.Gap()
	return change
}

// keep holds a frame back until the frames before it have come.
func (a *Assembler) keep(f Frame) Change {
	if a.ahead == nil {
		a.ahead = make(map[int]Frame)
	}
	far := *f.Seq-a.Last() > FarBehind
	if !far || len(a.ahead) == 0 { // one far frame is enough to know of a gap
		a.ahead[*f.Seq] = f
	}
	return Change{Gap: true, FarBehind: far}
}

// advance applies the frame that follows the last one.
func (a *Assembler) advance(f Frame) Change {
	a.seen, a.lastSeq = true, *f.Seq
	if f.Ends() {
		return a.finish(f)
	}
	said := a.said()
	text, reasoning, uses := len(said.Text()), len(said.Reasoning()), len(said.ToolUses())
	said.Add(f)
	return Change{Text: said.Text()[text:], Reasoning: said.Reasoning()[reasoning:], ToolUses: said.toolUsesFrom(uses)}
}

// add appends what a later step did.
func (c *Change) add(more Change) {
	c.Text += more.Text
	c.Reasoning += more.Reasoning
	c.ToolUses = append(c.ToolUses, more.ToolUses...)
	c.Ended = more.Ended
}

// void begins an attempt and reports whether there was an earlier one.
func (a *Assembler) void(attempt int) (restarted bool) {
	restarted = a.attempt > 0
	a.attempt, a.seen, a.lastSeq, a.ahead = attempt, false, 0, nil
	a.answer = nil
	return restarted
}

// finish ends the request with its one end.
func (a *Assembler) finish(f Frame) Change {
	a.end, a.ahead = &f, nil
	return Change{Ended: true}
}
