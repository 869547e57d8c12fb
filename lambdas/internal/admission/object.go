package admission

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// maxProblems bounds how many fields one refusal names.
const maxProblems = 20

// problems collects what is wrong with a body, field by field.
type problems struct{ fields []protocol.FieldError }

func (p *problems) add(field, format string, args ...any) {
	if len(p.fields) < maxProblems {
		p.fields = append(p.fields, protocol.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

func (p *problems) text(field string, raw json.RawMessage) (string, bool) {
	s, ok := jsonobject.Text(raw)
	if !ok {
		p.add(field, "must be a string")
	}
	return s, ok
}

func (p *problems) array(field string, raw json.RawMessage) ([]json.RawMessage, bool) {
	list, ok := jsonobject.Array(raw)
	if !ok {
		p.add(field, "must be an array")
	}
	return list, ok
}

func (p *problems) number(field string, raw json.RawMessage) (float64, bool) {
	n, ok := jsonobject.Number(raw)
	if !ok {
		p.add(field, "must be a number")
	}
	return n, ok
}

// whole reads a whole number from 1 to most.
func (p *problems) whole(field string, raw json.RawMessage, most int) *int {
	f, ok := p.number(field, raw)
	if !ok {
		return nil
	}
	if f != math.Trunc(f) || f < 1 || f > float64(most) {
		p.add(field, "must be a whole number from 1 to %d, got %s", most, jsonobject.Show(raw))
		return nil
	}
	n := int(f)
	return &n
}

// fraction reads a number from 0 to 1.
func (p *problems) fraction(field string, raw json.RawMessage) *float64 {
	f, ok := p.number(field, raw)
	if !ok {
		return nil
	}
	if f < 0 || f > 1 {
		p.add(field, "must be from 0 to 1, got %s", jsonobject.Show(raw))
		return nil
	}
	return &f
}
