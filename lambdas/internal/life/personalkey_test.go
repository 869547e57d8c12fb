package life_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		secret := life.NewSecret()
		if !life.IsSecret(secret) || len(secret) != 47 || !strings.HasPrefix(secret, "ssk_") || seen[secret] {
			t.Fatalf("%q", secret)
		}
		seen[secret] = true
	}
	good := "ssk_" + strings.Repeat("A", 43)
	if !life.IsSecret(good) {
		t.Errorf("%q is refused", good)
	}
	for _, bad := range []string{
		"", "ssk_", good + "A", good[:46], "sk_" + strings.Repeat("A", 43), "SSK_" + strings.Repeat("A", 43),
		"ssk_" + strings.Repeat("+", 43), "ssk_" + strings.Repeat("A", 42) + "=", "ssk_" + strings.Repeat("A", 42) + "B", " " + good, good + "\n",
		"ssk_" + strings.Repeat("A", 20) + "\n" + strings.Repeat("A", 23),
	} {
		if life.IsSecret(bad) {
			t.Errorf("%q passes", bad)
		}
	}
	if got := life.HashSecret("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("hash %s", got)
	}
}

func TestKeyExpires(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	key := life.PersonalKey{ExpiresAt: at}
	if key.Expired(at.Add(-time.Nanosecond)) || !key.Expired(at) {
		t.Error("a key is good until its expiry and no longer")
	}
	if (life.PersonalKey{}).Expired(at) {
		t.Error("a key without expiry expires")
	}
}
