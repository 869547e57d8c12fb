package completions

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFeedGivesAllThatWasWrittenBeforeItsEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, end := range []error{nil, broken} {
		f := newFeed(": pulse\n\n", time.Hour)
		for range 1000 {
			_, _ = f.Write([]byte("0123456789"))
		}
		f.Finish(end)
		f.Finish(errors.New("later"))
		got, err := io.ReadAll(f)
		if string(got) != strings.Repeat("0123456789", 1000) || !errors.Is(err, end) {
			t.Errorf("read %d bytes, %v; want 10000, %v", len(got), err, end)
		}
	}
}

func TestFeedBeatsInSilenceOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed("*", 15*time.Second)
		go func() {
			for range 10 {
				_, _ = f.Write([]byte("a"))
				time.Sleep(10 * time.Second)
			}
			time.Sleep(40 * time.Second)
			_, _ = f.Write([]byte("b"))
			f.Finish(nil)
		}()
		got, err := io.ReadAll(f)
		if err != nil || string(got) != "aaaaaaaaaa***b" {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestFeedNeverHoldsUpItsWriter(t *testing.T) {
	t.Parallel()
	f := newFeed("", time.Hour)
	for range 100_000 { // no reader comes
		_, _ = f.Write([]byte("0123456789"))
	}
	buffer := make([]byte, 7)
	if n, err := f.Read(buffer); n != 7 || err != nil || string(buffer) != "0123456" {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
}
