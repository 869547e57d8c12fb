package usage

import (
	"encoding/json"
	"net/http"
)

// ServeHTTP is /_local/usage: the counts since start, and with ?requests also
// by request id.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = w.Write([]byte(`{"error":"method must be GET"}` + "\n"))
		return
	}
	answer := struct {
		Report
		Requests map[string]Report `json:"requests,omitempty"`
	}{Report: m.Total()}
	if r.URL.Query().Has("requests") {
		answer.Requests = m.Requests()
	}
	_ = json.NewEncoder(w).Encode(answer) // the caller is gone; nobody is left to tell
}
