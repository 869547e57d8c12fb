package admission

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// sampling reads temperature or topP: a number from 0 to 1, or null.
func (p *problems) sampling(field string, raw json.RawMessage) *float64 {
	if string(raw) == "null" {
		return new(math.NaN())
	}
	return p.fraction(field, raw)
}

// suit gives parameters that the model takes: what the request asks for, and the
// operator's defaults as far as the model takes them beside that. What is asked
// for and refused by the model is returned, so that it is refused here, where
// the user is told why.
func (m Model) suit(r protocol.SubmitRequest, parameters *life.ModelParameters) []protocol.FieldError {
	family := modelfamily.Of(parameters.ModelID)
	if r.Reasoning != nil {
		family = family.WhileReasoning()
	}
	temperature, topP := asked(r.Temperature), asked(r.TopP)
	refused := family.RefuseSampling(temperature != nil, topP != nil)
	if most := family.StopSequences; most > 0 && len(r.StopSequences) > most {
		refused = append(refused, modelfamily.Refusal{Parameter: "stopSequences", Why: fmt.Sprintf("it takes at most %d, got %d", most, len(r.StopSequences))})
	}
	if r.Temperature == nil && takes(family, m.Temperature != nil, topP != nil) {
		temperature = m.Temperature
	}
	if r.TopP == nil && takes(family, temperature != nil, m.TopP != nil) {
		topP = m.TopP
	}
	parameters.Temperature, parameters.TopP = temperature, topP
	return fieldErrors(parameters.ModelID, refused)
}

// asked is the value that a request gives; null is none.
func asked(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) {
		return nil
	}
	return v
}

func takes(family modelfamily.Family, temperature, topP bool) bool {
	return len(family.RefuseSampling(temperature, topP)) == 0
}

func fieldErrors(modelID string, refused []modelfamily.Refusal) []protocol.FieldError {
	var fields []protocol.FieldError
	for _, r := range refused {
		fields = append(fields, protocol.FieldError{
			Field: r.Parameter, Message: fmt.Sprintf("is refused by model %s: %s", jsonobject.Quote(modelID), r.Why),
		})
	}
	return fields
}
