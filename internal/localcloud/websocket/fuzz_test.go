package websocket

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"
)

// FuzzRouteSelection checks that a message selects a route only by a scalar at
// the expression's place, and never a predefined one.
func FuzzRouteSelection(f *testing.F) {
	for _, seed := range []string{`{"action":"send"}`, `{"action":"$connect"}`, `{"action":null}`, `{"action":{"a":1}}`, `[]`, ``, `{"action":"send"}{}`, `{"action":1e400}`} {
		f.Add(seed)
	}
	d := definition{selection: "$request.body.action", routes: map[string]Route{
		"1": {ID: "1", RouteKey: "send"}, "2": {ID: "2", RouteKey: "$default"}, "3": {ID: "3", RouteKey: "$connect"}, "4": {ID: "4", RouteKey: "$disconnect"},
	}}
	f.Fuzz(func(t *testing.T, message string) {
		r, ok := d.routeFor([]byte(message))
		if !ok || r.RouteKey == "$connect" || r.RouteKey == "$disconnect" {
			t.Fatalf("%q selects %v %q", message, ok, r.RouteKey)
		}
		var object struct {
			Action any `json:"action"`
		}
		if r.RouteKey == "send" && json.Unmarshal([]byte(message), &object) != nil {
			t.Errorf("%q is no JSON object but selects send", message)
		}
	})
}

// FuzzSelectionExpression checks that what is accepted can be evaluated.
func FuzzSelectionExpression(f *testing.F) {
	for _, seed := range []string{"$request.body.action", "${request.body.a.b}", "$request.body.", "$request.body..a", "${request.body.a", "$context.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		path, err := parseSelection(expression)
		if err != nil {
			return
		}
		message := `"found"`
		for _, part := range slices.Backward(path) {
			name, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			message = "{" + string(name) + ":" + message + "}"
		}
		if utf8.ValidString(expression) && path.key([]byte(message)) != "found" {
			t.Errorf("%q does not find its value in %s", expression, message)
		}
	})
}

// FuzzFrameScanner checks that the scanner sees the same frames however the
// bytes are cut.
func FuzzFrameScanner(f *testing.F) {
	f.Add([]byte("\x81\x85\x00\x00\x00\x00hello\x81\xfe\x80\x01\x00\x00\x00\x00"), 3)
	f.Add([]byte("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04x"), 1)
	f.Add([]byte("\x81\x05hello\x89\x00"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		var whole, pieces frameScanner
		whole.scan(stream)
		for rest := stream; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			pieces.scan(rest[:n])
			rest = rest[n:]
		}
		if whole.oversized.Load() != pieces.oversized.Load() || whole.payload != pieces.payload || whole.have != pieces.have {
			t.Errorf("pieces of %d: oversized %v, whole %v", piece, pieces.oversized.Load(), whole.oversized.Load())
		}
	})
}
