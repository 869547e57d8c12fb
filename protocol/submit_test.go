package protocol_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

// A default of the service can be unset, by a number that no model takes.
func TestNaNIsNull(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(protocol.SubmitRequest{Prompt: "a", Temperature: new(math.NaN()), TopP: new(0.5)})
	if want := `{"prompt":"a","temperature":null,"topP":0.5}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
