package life_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestUploadLives(t *testing.T) {
	t.Parallel()
	announced := time.Date(2026, 11, 24, 12, 0, 0, 123_000_000, time.UTC)
	id := life.NewUploadID(announced)
	if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(id) || id == life.NewUploadID(announced) {
		t.Errorf("id %q", id)
	}
	for after, want := range map[time.Duration]bool{
		0: true, 24*time.Hour - time.Millisecond: true, 24 * time.Hour: false, -life.Skew: true, -time.Minute: false,
	} {
		if got := life.UploadLives(id, announced.Add(after)); got != want {
			t.Errorf("%v after: %t, want %t", after, got, want)
		}
	}
	for _, other := range []string{"", "x", id[:25], id + "a", "../" + id[3:], "A" + id[1:], "1" + id[1:]} {
		if life.UploadLives(other, announced) {
			t.Errorf("%q lives", other)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, format := range slices.Concat(protocol.ImageFormats, protocol.DocumentFormats) {
		mediaType := life.MediaType(format)
		if mediaType == "" || seen[mediaType] != "" || life.FormatOf(mediaType) != format {
			t.Errorf("%s is %q, which is %q", format, mediaType, life.FormatOf(mediaType))
		}
		seen[mediaType] = format
	}
	if life.MediaType("exe") != "" || life.FormatOf("application/octet-stream") != "" {
		t.Error("an unknown format has a type")
	}
}
