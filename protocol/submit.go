package protocol

import (
	"bytes"
	"encoding/json"
	"math"
)

// MarshalJSON implements json.Marshaler.
func (r SubmitRequest) MarshalJSON() ([]byte, error) {
	type plain SubmitRequest
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		plain
		Temperature   *sampling `json:"temperature,omitempty"`
		TopP          *sampling `json:"topP,omitempty"`
		StopSequences []string  `json:"stopSequences,omitempty"` // here for the order
	}{plain(r), (*sampling)(r.Temperature), (*sampling)(r.TopP), r.StopSequences})
	return out.Bytes(), err
}

// sampling is a number, of which NaN is null.
type sampling float64

func (s sampling) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(s)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}
