package lives_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	scripted "github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/protocol"
)

// model is the scripted model with another text for every call, so that a text
// put together from two attempts is that of none.
type model struct {
	*scripted.Scripted

	mu    sync.Mutex
	calls map[string][]*protocol.Answer // by request: what each call would produce in full
	cuts  map[string]int                // by request: calls that spoke, and that their askers stopped
}

func newModel() *model {
	return &model{Scripted: scripted.NewScripted(awsapi.Open{}), calls: map[string][]*protocol.Answer{}, cuts: map[string]int{}}
}

// askedBy is the model as a process sees it.
func (m *model) askedBy(p *process) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard := &speech{ResponseWriter: w}
		id, err := m.answer(heard, r)
		if err == nil && r.Context().Err() != nil && !p.dead() && heard.fluent() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.cuts[id]++
		}
	})
}

// speech notes when a model speaks.
type speech struct {
	http.ResponseWriter
	first, last time.Time // of a piece of text
}

func (s *speech) Write(data []byte) (int, error) {
	n, err := s.ResponseWriter.Write(data)
	if err == nil && bytes.Contains(data, []byte("contentBlockDelta")) {
		if s.last = time.Now(); s.first.IsZero() {
			s.first = s.last
		}
	}
	return n, err
}

// Unwrap lets the model flush.
func (s *speech) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// fluent reports whether the model has spoken for more than a moment, and until
// now: one that fell silent is stopped for that.
func (s *speech) fluent() bool {
	return s.last.Sub(s.first) > time.Second && time.Since(s.last) < 10*time.Second
}

// answer answers a call and says which request it is for.
func (m *model) answer(w http.ResponseWriter, r *http.Request) (id string, err error) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		id, body, err = m.vary(body)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return id, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	m.ServeHTTP(w, r)
	return id, nil
}

// vary gives a call a text of its own and notes it for its request.
func (m *model) vary(body []byte) (id string, varied []byte, err error) {
	var request struct {
		RequestMetadata struct {
			RequestID string `json:"requestId"`
		} `json:"requestMetadata"`
		InferenceConfig struct {
			MaxTokens int `json:"maxTokens"`
		} `json:"inferenceConfig"`
		Messages []struct {
			Content []struct {
				Text       string          `json:"text"`
				ToolResult json.RawMessage `json:"toolResult"`
			} `json:"content"`
		} `json:"messages"`
		System []struct {
			Text string `json:"text"`
		} `json:"system"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return "", nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id = request.RequestMetadata.RequestID
	plain := request.System[0].Text
	seeded := plain + " seed=" + strconv.Itoa(len(m.calls[id])+1)
	script, err := scripted.ParseScript(seeded)
	if err != nil {
		return "", nil, err
	}
	if script.Times > 0 && len(m.calls[id]) >= script.Times {
		script.Empty = false
	}
	last := request.Messages[len(request.Messages)-1].Content
	prompt, brings := last[len(last)-1].Text, last[0].ToolResult != nil
	var uses []scripted.Call
	for i, name := range script.Tools {
		if !brings {
			uses = append(uses, scripted.CallOf(prompt, script, i, name, nil))
		}
	}
	reply := scripted.Answer(prompt, script, request.InferenceConfig.MaxTokens, nil, uses...)
	m.calls[id] = append(m.calls[id], answerOf(reply, script))
	return id, bytes.Replace(body, protocol.Encode(plain), protocol.Encode(seeded), 1), nil
}

// cut returns how many calls of a request spoke and were stopped by their askers.
func (m *model) cut(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cuts[id]
}

// produced returns what the calls of every request would produce.
func (m *model) produced() map[string][]*protocol.Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.calls)
}

// said returns what the calls of every request would say.
func (m *model) said() map[string][]string {
	texts := map[string][]string{}
	for id, answers := range m.produced() {
		for _, a := range answers {
			texts[id] = append(texts[id], a.Text())
		}
	}
	return texts
}

// modelFailures are scripts of everything that goes wrong with models.
var modelFailures = []string{
	"error=ThrottlingException@0 times=1",
	"error=throttlingException@0 times=3",
	"error=throttlingException@0",
	"error=throttlingException@7 times=1",
	"error=modelTimeoutException@0 times=1",
	"error=internalServerException@0 times=2",
	"error=modelStreamErrorException@5 times=1",
	"error=serviceUnavailableException@12 times=2",
	"error=modelStreamErrorException@3",
	"error=validationException@0",
	"error=accessDeniedException@0",
	"truncate@6 times=1",
	"truncate@0 times=1",
	"truncate@4",
	"hang@8 times=1",
	"drop@9 times=1",
	"drop@0 times=1",
	"badcrc@5 times=1",
	"stop=content_filtered",
	"stop=guardrail_intervened",
	"stop=malformed_model_output",
	"empty times=1",
	"empty",
	"empty reasoning=6",
	"reasoning=6 usage=none",
	"usage=zero",
	"stop=max_tokens",
}
