package life

import "github.com/streaming-service/streaming-service/protocol"

// failures gives each code of an ended request the words that its user reads,
// and whether the same request under a new key may succeed, unless the record
// says that it cannot.
var failures = map[protocol.Code]protocol.RequestError{
	protocol.CodeModelThrottled:  {Message: "The model is busy. Try again in a moment.", Retryable: true},
	protocol.CodeModelError:      {Message: "The model could not answer this request.", Retryable: true},
	protocol.CodeModelTimeout:    {Message: "The model took too long to answer.", Retryable: true},
	protocol.CodeContentFiltered: {Message: "The answer was withheld by a content filter.", Retryable: false},
	protocol.CodeCancelled:       {Message: "The request was cancelled.", Retryable: false},
	protocol.CodeExpired:         {Message: "The request waited too long and was not run.", Retryable: true},
	protocol.CodeDeadLettered:    {Message: "The request could not be completed after several attempts.", Retryable: true},
	protocol.CodeUploadNotFound:  {Message: "A file of the request is no longer there. Upload it again.", Retryable: false},
	protocol.CodeInternal:        {Message: "The service failed to complete the request.", Retryable: true},
}

// Failure returns the error of a request that ended for code. An unknown code
// reads as an internal one.
func Failure(code protocol.Code) protocol.RequestError {
	e, ok := failures[code]
	if !ok {
		e = failures[protocol.CodeInternal]
	}
	e.Code = code
	return e
}

// failure is the error of a request that ended with one.
func (r Record) failure() protocol.RequestError {
	e := Failure(r.ErrorCode)
	e.Retryable = e.Retryable && !r.Final
	return e
}

// EndFrame returns the end frame of a terminal record. It depends on nothing
// else, so every copy of it has the same bytes.
func EndFrame(r Record) protocol.Frame {
	if r.Status == protocol.StatusSucceeded {
		var usage protocol.TokenUsage
		if spent := r.Spent(); spent != nil {
			usage = *spent
		}
		return protocol.DoneFrame(r.RequestID, r.Attempt, r.EndSeq, r.StopReason, usage)
	}
	return protocol.ErrorFrame(r.RequestID, r.Attempt, r.EndSeq, r.failure())
}

// Replay returns the frames of the record's current attempt that a client lacks
// who has everything up to (attempt, afterSeq): the start, the answer as the log
// holds it, and the end. Frames have the cuts of the live ones.
func Replay(r Record, chunks []Chunk, attempt, afterSeq int) []protocol.Frame {
	var frames []protocol.Frame
	if attempt != r.Attempt {
		afterSeq = -1
	}
	if r.Attempt > 0 && !r.EndedByOther() {
		if afterSeq < 0 {
			frames = append(frames, protocol.StartFrame(r.RequestID, r.Attempt, r.Model.ModelID))
		}
		frames = append(frames, AnswerFrames(r, chunks, afterSeq)...)
	}
	if r.Status.Terminal() {
		frames = append(frames, EndFrame(r))
	}
	return frames
}

// AnswerFrames returns the frames of the answer after afterSeq that chunks hold.
func AnswerFrames(r Record, chunks []Chunk, afterSeq int) []protocol.Frame {
	var frames []protocol.Frame
	for _, c := range Contiguous(chunks, afterSeq) {
		pieces := c.pieces()
		for i, p := range pieces {
			seq := c.FirstSeq + i
			if seq <= afterSeq {
				continue
			}
			f, ok := p.Frame(r.RequestID, r.Attempt, seq)
			if !ok {
				return frames
			}
			frames = append(frames, f)
		}
		if len(pieces) < len(c.Lengths) {
			return frames
		}
	}
	return frames
}

// Contiguous returns the run of chunks that reaches afterSeq+1 and goes on
// without a gap. A chunk may be missing while its attempt still writes.
func Contiguous(chunks []Chunk, afterSeq int) []Chunk {
	next := max(1, afterSeq+1)
	var run []Chunk
	for _, c := range chunks {
		switch {
		case c.LastSeq() < next:
			continue
		case len(run) == 0 && c.FirstSeq > next, len(run) > 0 && c.FirstSeq != next:
			return run
		}
		run = append(run, c)
		next = c.LastSeq() + 1
	}
	return run
}

// Answer puts the answer of an attempt together from its first frame up to the
// first gap, and returns the seq of the last frame in it; 0 if there is none. A
// block of which parts are missing is not in it, nor are the parts.
func Answer(chunks []Chunk) (answer *protocol.Answer, lastSeq int) {
	answer = new(protocol.Answer)
	for _, f := range AnswerFrames(Record{}, chunks, 0) {
		answer.Add(f)
		if !answer.Partial() {
			lastSeq = *f.Seq
		}
	}
	return answer, lastSeq
}

// State returns the body of GET /requests/{requestId}. Its answer is the one that
// chunks, the log of the record's owner, hold.
func State(r Record, chunks []Chunk) protocol.RequestState {
	answer, last := Answer(chunks)
	s := protocol.RequestState{
		RequestID:  r.RequestID,
		Status:     r.Status,
		Attempt:    r.Attempt,
		Text:       answer.Text(),
		Content:    answer.Content(),
		LastSeq:    last,
		StopReason: r.StopReason,
		Usage:      r.Spent(),
		Model:      r.Model.ModelID,
		CreatedAt:  Timestamp(r.CreatedAt),
		UpdatedAt:  Timestamp(r.UpdatedAt),
	}
	if r.Attempt == 0 || r.EndedByOther() {
		s.LastSeq = -1
	}
	if r.Status.Terminal() && r.Status != protocol.StatusSucceeded {
		e := r.failure()
		s.Error = &e
	}
	return s
}
