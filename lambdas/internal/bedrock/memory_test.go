package bedrock_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// An answer once held what was asked to its end: five documents, and the body in
// which they were sent, for as long as the model spoke.
func TestAnAnswerDoesNotHoldWhatWasAsked(t *testing.T) {
	const most = 4 << 20 // of other things
	spoken := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n < protocol.MaxMediaBytes {
			t.Errorf("read %d bytes: %v", n, err)
		}
		streaming(opening, delta("Well"))(w, r)
		_ = http.NewResponseController(w).Flush()
		<-spoken
		streaming(stop("end_turn"), metadata)(w, r)
	}))
	t.Cleanup(server.Close)
	s := &service{Server: server}
	before := heap()
	document := protocol.Block{Type: protocol.BlockDocument, Format: "pdf", Name: "a", Data: make([]byte, protocol.MaxMediaBytes)}
	blocks := []protocol.Block{protocol.TextBlock("Sum it up."), document}
	document.Data = nil
	held := uint64(0)
	_, err := s.models(bedrock.Options{}).Stream(t.Context(), record(), life.Input{Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: blocks}}}, take(func(model.Delta) {
		blocks[1].Data = nil // as its owner does
		held = heap()
		close(spoken)
	}))
	if err != nil || held > before+most {
		t.Errorf("%d bytes are held during the answer, %d before it: %v", held, before, err)
	}
}

// heap are the bytes in use.
func heap() uint64 {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
