package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/keys"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 123_456_789, time.UTC)

// store holds one user's keys.
type store struct {
	keys   []life.PersonalKey
	groups []string
	err    error
}

func (s *store) CreateKey(_ context.Context, key life.PersonalKey, groups []string) error {
	if s.err == nil {
		s.keys, s.groups = append(s.keys, key), groups
	}
	return s.err
}

func (s *store) KeysOf(context.Context, string) ([]life.PersonalKey, error) { return s.keys, s.err }

func (s *store) DeleteKey(_ context.Context, userID, keyID string) error {
	i := slices.IndexFunc(s.keys, func(k life.PersonalKey) bool { return k.UserID == userID && k.KeyID == keyID })
	if s.err != nil || i < 0 {
		return errors.Join(s.err, life.ErrNotFound)
	}
	s.keys = slices.Delete(s.keys, i, i+1)
	return nil
}

func service(s *store) *keys.Service {
	return &keys.Service{Store: s, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
}

// call is one of the user u with a token.
func call(body string) httpapi.Request {
	r := httpapi.NewRequest("u", []string{"gold"}, nil, []byte(body))
	r.Username = "name"
	return r
}

func TestCreate(t *testing.T) {
	t.Parallel()
	s := &store{}
	got, err := service(s).Create(t.Context(), call(`{"name":"laptop","expiresInDays":30}`))
	if err != nil || got.Status != 201 {
		t.Fatalf("%+v, %v", got, err)
	}
	made, stored := got.Body.(protocol.CreateKeyResponse), s.keys[0]
	if !life.IsSecret(made.Key) || stored.Hash != life.HashSecret(made.Key) {
		t.Errorf("secret %q, stored %+v", made.Key, stored)
	}
	want := life.PersonalKey{
		KeyID: made.KeyID, UserID: "u", Username: "name", Name: "laptop", Hash: stored.Hash,
		CreatedAt: now, ExpiresAt: time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC),
	}
	if !reflect.DeepEqual(stored, want) || !slices.Equal(s.groups, []string{"gold"}) {
		t.Errorf("stored %+v with groups %q, want %+v", stored, s.groups, want)
	}
	if made.Name != "laptop" || made.CreatedAt != "2026-11-24T12:00:00.123Z" || made.ExpiresAt != "2026-12-24T12:00:00.000Z" {
		t.Errorf("answer %+v", made)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		err        error
		code       protocol.Code
		fields     []string
	}{
		{"lasting", `{"name":"a"}`, nil, "", nil},
		{"longest", `{"name":"` + strings.Repeat("é", 100) + `","expiresInDays":3650}`, nil, "", nil},
		{"no JSON", `{"name":`, nil, "invalid_request", []string{"body"}},
		{"no UTF-8", "{\"name\":\"\xff\"}", nil, "invalid_request", []string{"body"}},
		{"no object", `["a"]`, nil, "invalid_request", []string{"body"}},
		{"name twice", `{"name":"a","name":"b"}`, nil, "invalid_request", []string{"body"}},
		{"no name", `{}`, nil, "invalid_request", []string{"name"}},
		{"null name", `{"name":null}`, nil, "invalid_request", []string{"name"}},
		{"blank name", `{"name":" "}`, nil, "invalid_request", []string{"name"}},
		{"long name", `{"name":"` + strings.Repeat("é", 101) + `"}`, nil, "invalid_request", []string{"name"}},
		{"control character", `{"name":"a\u0007"}`, nil, "invalid_request", []string{"name"}},
		{"no days", `{"name":"a","expiresInDays":0}`, nil, "invalid_request", []string{"expiresInDays"}},
		{"many days", `{"name":"a","expiresInDays":3651}`, nil, "invalid_request", []string{"expiresInDays"}},
		{"half a day", `{"name":"a","expiresInDays":0.5}`, nil, "invalid_request", []string{"expiresInDays"}},
		{"days as text", `{"expiresInDays":"1"}`, nil, "invalid_request", []string{"expiresInDays", "name"}},
		{"unknown field", `{"name":"a","scope":"all"}`, nil, "invalid_request", []string{"scope"}},
		{"too many", `{"name":"a"}`, life.ErrTooManyKeys, "invalid_request", []string{"keys"}},
		{"no database", `{"name":"a"}`, life.ErrUnavailable, "unavailable", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := service(&store{err: test.err}).Create(t.Context(), call(test.body))
			if (err == nil) != (test.code == "") {
				t.Fatal(err)
			}
			if err == nil {
				return
			}
			problem := httpapi.AsError(err).Problem
			var fields []string
			for _, f := range problem.Errors {
				fields = append(fields, f.Field)
			}
			if problem.Code != test.code || !slices.Equal(fields, test.fields) {
				t.Errorf("%s %q, want %s %q", problem.Code, fields, test.code, test.fields)
			}
		})
	}
}

func TestRefusalsSayWhatWasGiven(t *testing.T) {
	t.Parallel()
	_, err := service(&store{}).Create(t.Context(), call(`{"name":"a","expiresInDays":3651}`))
	want := protocol.FieldError{Field: "expiresInDays", Message: "must be a whole number from 1 to 3650, got 3651"}
	if err == nil || !slices.Equal(httpapi.AsError(err).Problem.Errors, []protocol.FieldError{want}) {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := &store{keys: []life.PersonalKey{
		{KeyID: "a", Name: "laptop", Hash: "secret", CreatedAt: now},
		{KeyID: "b", Name: "ci", CreatedAt: now, ExpiresAt: now.Add(time.Hour)},
	}}
	got, err := service(s).List(t.Context(), call(""))
	want := protocol.KeyList{Keys: []protocol.PersonalKey{
		{KeyID: "a", Name: "laptop", CreatedAt: "2026-11-24T12:00:00.123Z"},
		{KeyID: "b", Name: "ci", CreatedAt: "2026-11-24T12:00:00.123Z", ExpiresAt: "2026-11-24T13:00:00.123Z"},
	}}
	if err != nil || got.Status != 200 || !reflect.DeepEqual(got.Body, want) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = service(&store{}).List(t.Context(), call(""))
	if err != nil || string(protocol.Encode(got.Body)) != `{"keys":[]}` {
		t.Errorf("no keys: %+v, %v", got, err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	s := &store{keys: []life.PersonalKey{{KeyID: "a", UserID: "u"}, {KeyID: "b", UserID: "v"}}}
	remove := func(keyID string) (httpapi.Response, error) {
		r := call("")
		r.PathParameters = map[string]string{"keyId": keyID}
		return service(s).Delete(t.Context(), r)
	}
	if got, err := remove("a"); err != nil || got.Status != 204 || got.Body != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for _, unknown := range []string{"a", "b", ""} {
		if _, err := remove(unknown); err == nil || httpapi.AsError(err).Status() != 404 {
			t.Errorf("deleting %q: %v", unknown, err)
		}
	}
}

// A key opens nothing here, even if an API let it through.
func TestKeysCannotManageKeys(t *testing.T) {
	t.Parallel()
	s := &store{keys: []life.PersonalKey{{KeyID: "a", UserID: "u"}}}
	r := call(`{"name":"a"}`)
	r.Caller = caller.Caller{UserID: "u", KeyID: "k"}
	r.PathParameters = map[string]string{"keyId": "a"}
	for name, handler := range map[string]httpapi.Handler{"Create": service(s).Create, "List": service(s).List, "Delete": service(s).Delete} {
		if _, err := handler(t.Context(), r); err == nil || httpapi.AsError(err).Status() != 401 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.keys) != 1 {
		t.Errorf("keys %+v", s.keys)
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := service(&store{})
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	got, err := s.Create(t.Context(), call(`{"name":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	made := got.Body.(protocol.CreateKeyResponse)
	if !strings.Contains(log.String(), made.KeyID) || strings.Contains(log.String(), made.Key) || strings.Contains(log.String(), life.HashSecret(made.Key)) {
		t.Error(log.String())
	}
}
