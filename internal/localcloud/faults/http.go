package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const maxRules = 1 << 20 // bytes of a list of rules

// Parse reads a list of rules as PUT to /_local/faults. An unknown field is an
// error, so that a misspelt fault does not pass for none.
func Parse(body []byte) ([]Rule, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	rules := []Rule{}
	if err := decoder.Decode(&rules); err != nil {
		return nil, fmt.Errorf("reading list of fault rules: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading list of fault rules: text after the list")
	}
	if rules == nil {
		return nil, errors.New("reading list of fault rules: want a list, got null")
	}
	return rules, nil
}

// ServeHTTP is /_local/faults: PUT replaces the rules, GET shows them and what
// was injected, DELETE clears them.
func (i *Injector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPut:
		if err := i.put(w, r); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
	case http.MethodDelete:
		i.Clear()
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"error": "method must be GET, PUT or DELETE"})
		return
	}
	answer(w, http.StatusOK, i.state())
}

func (i *Injector) put(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRules))
	if err != nil {
		return fmt.Errorf("reading list of fault rules: %w", err)
	}
	rules, err := Parse(body)
	if err != nil {
		return err
	}
	return i.Set(rules)
}

type state struct {
	Seed     uint64           `json:"seed"`
	Rules    []Rule           `json:"rules"`
	Injected map[string]int64 `json:"injected"`
}

func (i *Injector) state() state {
	rules := i.rules.Load().declared
	if rules == nil {
		rules = []Rule{}
	}
	return state{Seed: i.seed, Rules: rules, Injected: i.Injected()}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the caller is gone; nobody is left to tell
}
