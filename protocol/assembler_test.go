package protocol_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

const requestID = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// trace is one file of testdata/traces: what a client hears, and what each
// step has to do. The client in web/ is tested with the same files.
type trace struct {
	Why   string
	Steps []struct {
		Frame json.RawMessage
		State *protocol.RequestState
		Want  protocol.Change
	}
	Final struct {
		Attempt, Last int
		Text          string
		Content       []protocol.Block // nil: Text alone
		End           *protocol.Frame
	}
}

func TestAssemblerFollowsTheGoldenTraces(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/traces/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d traces: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			runTrace(t, readTrace(t, file))
		})
	}
}

func readTrace(t *testing.T, file string) trace {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tr trace
	if err := json.Unmarshal(data, &tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

func runTrace(t *testing.T, tr trace) {
	t.Helper()
	var a protocol.Assembler
	for i, step := range tr.Steps {
		var got protocol.Change
		if step.State != nil {
			got = a.Adopt(*step.State)
		} else {
			frame, err := protocol.DecodeFrame(step.Frame)
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			got = a.Apply(frame)
		}
		if got, want := protocol.Encode(got), protocol.Encode(step.Want); !bytes.Equal(got, want) {
			t.Errorf("step %d: %s, want %s", i, got, want)
		}
	}
	want := tr.Final
	if a.Attempt() != want.Attempt || a.Last() != want.Last || a.Text() != want.Text {
		t.Errorf("at (%d, %d) with %q, want (%d, %d) with %q", a.Attempt(), a.Last(), a.Text(), want.Attempt, want.Last, want.Text)
	}
	if want.Content == nil && want.Text != "" {
		want.Content = []protocol.Block{protocol.TextBlock(want.Text)}
	}
	if got, want := protocol.Encode(a.Content()), protocol.Encode(want.Content); !bytes.Equal(got, want) {
		t.Errorf("content %s, want %s", got, want)
	}
	if !reflect.DeepEqual(a.End(), want.End) {
		t.Errorf("end %+v, want %+v", a.End(), want.End)
	}
}

func TestAssemblerKeepsABoundedNumberOfFrames(t *testing.T) {
	t.Parallel()
	var a protocol.Assembler
	a.Apply(protocol.StartFrame(requestID, 1, "m"))
	for seq := 2; seq < 10_000; seq++ {
		a.Apply(protocol.DeltaFrame(requestID, 1, seq, "x"))
	}
	got := a.Apply(protocol.DeltaFrame(requestID, 1, 1, "x"))
	if want := strings.Repeat("x", protocol.FarBehind); got.Text != want {
		t.Errorf("closing the gap gave %d frames, want %d", len(got.Text), len(want))
	}
}

func TestDecodeFrameRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"not JSON":            `{"type":`,
		"not an object":       `["start"]`,
		"no request":          `{"type":"delta","attempt":1,"seq":1,"text":"a"}`,
		"no attempt":          `{"type":"start","requestId":"a","seq":0}`,
		"no seq":              `{"type":"done","requestId":"a","attempt":1}`,
		"negative seq":        `{"type":"error","requestId":"a","attempt":1,"seq":-1}`,
		"fractional seq":      `{"type":"delta","requestId":"a","attempt":1,"seq":1.5}`,
		"attempt of a string": `{"type":"delta","requestId":"a","attempt":"1","seq":1}`,
	} {
		if _, err := protocol.DecodeFrame([]byte(data)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEarlyFramesWaitForTheirRequest(t *testing.T) {
	t.Parallel()
	var early protocol.Early
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	other := "bbbbbbbbbbbbbbbbbbbbbbbbbb"
	early.Keep(protocol.StartFrame(requestID, 1, "m"), now)
	early.Keep(protocol.StartFrame(other, 1, "m"), now.Add(time.Second))
	early.Keep(protocol.DeltaFrame(requestID, 1, 1, "a"), now.Add(20*time.Second))

	if got := early.Take(requestID, now.Add(protocol.EarlyFor)); len(got) != 2 || got[1].Text != "a" {
		t.Errorf("after 30 s: %+v", got)
	}
	if got := early.Take(requestID, now.Add(protocol.EarlyFor)); len(got) != 0 {
		t.Errorf("taken twice: %+v", got)
	}
	if got := early.Take(other, now.Add(protocol.EarlyFor+2*time.Second)); len(got) != 0 {
		t.Errorf("kept for more than 30 s: %+v", got)
	}
}

func TestEarlyFramesAreBounded(t *testing.T) {
	t.Parallel()
	var early protocol.Early
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for seq := 1; seq <= 1000; seq++ {
		early.Keep(protocol.DeltaFrame(requestID, 1, seq, strings.Repeat("x", 30_000)), now)
	}
	got := early.Take(requestID, now)
	if len(got) == 0 || len(got) > 200 || *got[len(got)-1].Seq != 1000 {
		t.Errorf("kept %d frames", len(got))
	}
}
