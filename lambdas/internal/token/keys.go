package token

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// How long keys are kept and how often they are fetched. Cognito rotates the
// keys of a pool rarely; a stranger's kid must not make this side fetch on
// every connection.
const (
	keysMaxAge     = 6 * time.Hour
	refreshPause   = 30 * time.Second
	failurePause   = time.Second
	maxKeySetBytes = 64 << 10
	minModulusBits = 2048
	maxExponent    = 1<<31 - 1
)

// keySet is the pool's key set, fetched when it is needed and not too often.
type keySet struct {
	url  string
	http *http.Client
	now  func() time.Time

	mu      sync.Mutex
	keys    map[string]*rsa.PublicKey
	fetched time.Time // last success
	next    time.Time // earliest next fetch
	lastErr error     // of the fetch before next
}

// find returns the key with this id. An unknown id makes it fetch the set
// again, at most every refreshPause; old keys stay good while a fetch fails.
func (s *keySet) find(ctx context.Context, id string) (*rsa.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, known := s.keys[id]
	now := s.now()
	if known && now.Sub(s.fetched) < keysMaxAge {
		return key, nil
	}
	if !now.Before(s.next) {
		s.lastErr = s.refresh(ctx, now)
		key, known = s.keys[id]
	}
	switch {
	case known:
		return key, nil
	case s.keys == nil || s.lastErr != nil:
		return nil, fmt.Errorf("finding a key of the user pool: %w", s.lastErr)
	}
	return nil, refuse("no key of the pool signed it")
}

func (s *keySet) refresh(ctx context.Context, now time.Time) error {
	keys, err := s.fetch(ctx)
	if err != nil {
		s.next = now.Add(failurePause)
		return err
	}
	s.keys, s.fetched, s.next = keys, now, now.Add(refreshPause)
	return nil
}

func (s *keySet) fetch(ctx context.Context) (map[string]*rsa.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, fmt.Errorf("requesting the key set: %w", err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching the key set: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the key set: status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySetBytes))
	if err != nil {
		return nil, fmt.Errorf("reading the key set: %w", err)
	}
	return parseKeys(body)
}

// parseKeys reads the RSA signing keys of a JSON Web Key Set (RFC 7517) and
// passes over every other key.
func parseKeys(body []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []struct {
			ID        string `json:"kid"`
			Type      string `json:"kty"`
			Use       string `json:"use"`
			Algorithm string `json:"alg"`
			Modulus   string `json:"n"`
			Exponent  string `json:"e"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("decoding the key set: %w", err)
	}
	keys := make(map[string]*rsa.PublicKey, len(set.Keys))
	for _, k := range set.Keys {
		signs := (k.Use == "" || k.Use == "sig") && (k.Algorithm == "" || k.Algorithm == "RS256")
		if k.ID == "" || k.Type != "RSA" || !signs {
			continue
		}
		key, err := parseRSA(k.Modulus, k.Exponent)
		if err != nil {
			return nil, fmt.Errorf("decoding key %q: %w", k.ID, err)
		}
		keys[k.ID] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("decoding the key set: it holds no RS256 key")
	}
	return keys, nil
}

func parseRSA(modulus, exponent string) (*rsa.PublicKey, error) {
	n, err := base64.RawURLEncoding.DecodeString(modulus)
	if err != nil {
		return nil, fmt.Errorf("decoding the modulus: %w", err)
	}
	e, err := base64.RawURLEncoding.DecodeString(exponent)
	if err != nil {
		return nil, fmt.Errorf("decoding the exponent: %w", err)
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	value := new(big.Int).SetBytes(e)
	if bits := key.N.BitLen(); bits < minModulusBits {
		return nil, fmt.Errorf("modulus of %d bits, want at least %d", bits, minModulusBits)
	}
	if !value.IsInt64() || value.Int64() < 3 || value.Int64() > maxExponent {
		return nil, errors.New("exponent out of range")
	}
	key.E = int(value.Int64())
	return key, nil
}
