package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args    string
		want    string
		wantErr string
	}{
		{"", "preview zips cold first openai frames load units limits paths memory capacity start", ""},
		{"-only zips", "zips", ""},
		{"-only start,preview", "start preview", ""},
		{"-only zips,speed", "", `no row "speed"`},
		{"zips", "", `unexpected argument "zips"`},
		{"-fast", "", "flag provided but not defined"},
	}
	for _, test := range tests {
		s, err := parse(strings.Fields(test.args))
		if test.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), test.wantErr) {
				t.Errorf("%s: got error %v, want %s", test.args, err, test.wantErr)
			}
			continue
		}
		var names []string
		for _, r := range s.rows {
			names = append(names, r.name)
		}
		if got := strings.Join(names, " "); err != nil || got != test.want {
			t.Errorf("%s: got %s, %v, want %s", test.args, got, err, test.want)
		}
	}
	if _, err := parse([]string{"-help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v", err)
	}
}

func TestHelpNamesEveryRow(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-help"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
	for _, r := range rows() {
		if !strings.Contains(stdout.String(), "  "+r.name+" ") {
			t.Errorf("the help lacks %s", r.name)
		}
	}
	if code := run([]string{"-nonsense"}, &stdout, &stderr); code != exitUsage || stderr.Len() == 0 {
		t.Errorf("a bad flag: exit %d, %q", code, stderr.String())
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	s := sample{40, 10, 30, 20}
	for p, want := range map[float64]time.Duration{0: 10, 0.25: 10, 0.5: 20, 0.75: 30, 0.95: 40, 1: 40} {
		if got := s.at(p); got != want || s.several(p)[0] != want {
			t.Errorf("at %v: %d and %d, want %d", p, got, s.several(p)[0], want)
		}
	}
	if s[0] != 40 {
		t.Error("the sample was sorted in place")
	}
	if got := sample(nil).at(0.5) + sample(nil).several(1)[0]; got != 0 {
		t.Errorf("an empty sample: %d", got)
	}
	if d := s.minus(sample{1, 2}); fmt.Sprint(d) != "[39ns 8ns]" {
		t.Errorf("differences %v", d)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := result{}
	r.add(measure{what: "good", value: "1 ms", target: "≤ 2 ms", met: true})
	r.add(measure{what: "bad", value: "3 ms", spread: "p95 4 ms", target: "≤ 2 ms"})
	r.add(measure{what: "free", value: "5"})
	r.note("measured %d times", 7)
	want := `
name: Title
  good   1 ms                 ≤ 2 ms  met
  bad    3 ms   p95 4 ms      ≤ 2 ms  MISSED
  free   5
  measured 7 times
`
	if got := r.format(row{name: "name", title: "Title"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := verdict(r.measures); got != "\ntargets: 1 met, 1 missed\n  missed  bad: 3 ms p95 4 ms, target ≤ 2 ms\n" {
		t.Errorf("verdict %s", got)
	}
}

// counted is text of the tokens from to to.
func counted(from, to int) string {
	var text strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&text, tokenFormat, i)
	}
	return text.String()
}

func frame(kind protocol.FrameType, seq int, text string) protocol.Frame {
	return protocol.Frame{Type: kind, RequestID: "r", Attempt: 1, Seq: &seq, Text: text}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	said := []time.Time{begun, begun.Add(10), begun.Add(20)}
	whole := []arrival{
		{frame(protocol.FrameStart, 0, ""), begun}, {frame(protocol.FrameDelta, 1, counted(0, 1)), begun.Add(5)},
		{frame(protocol.FrameDelta, 2, counted(1, 3)), begun.Add(25)}, {frame(protocol.FrameDone, 3, ""), begun.Add(30)},
	}
	if got, err := delaysOf(whole, said); err != nil || fmt.Sprint(got) != "[5ns 15ns 5ns]" {
		t.Errorf("got %v, %v", got, err)
	}
	for name, arrivals := range map[string][]arrival{
		"a frame is missing": {whole[0], whole[2]},
		"the end is missing": whole[:2],
		"another text":       {whole[0], {frame(protocol.FrameDelta, 1, counted(1, 2)), begun}},
		"half a token":       {whole[0], {frame(protocol.FrameDelta, 1, "0000"), begun}},
	} {
		if _, err := delaysOf(arrivals, said); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReception(t *testing.T) {
	t.Parallel()
	deltas := func(seqs ...int) *reception {
		s := &reception{skipped: map[int]bool{}}
		for _, seq := range seqs {
			s.take(frame(protocol.FrameDelta, seq, counted(seq, seq+1)), time.Now())
		}
		return s
	}
	tests := []struct {
		name                             string
		seqs                             []int
		lost, repeated, reordered, wrong int
	}{
		{"in order", []int{0, 1, 2}, 0, 0, 0, 0},
		{"again", []int{0, 1, 1, 0}, 0, 2, 0, 0},
		{"a gap", []int{0, 3}, 2, 0, 0, 1},
		{"late", []int{0, 2, 1}, 1, 0, 1, 1},
	}
	for _, test := range tests {
		s := deltas(test.seqs...)
		if s.lost != test.lost || s.repeated != test.repeated || s.reordered != test.reordered || s.wrong != test.wrong {
			t.Errorf("%s: %+v", test.name, s)
		}
	}
	s := deltas(0, 1)
	if s.take(frame(protocol.FrameDone, 2, ""), time.Now()); !s.ended || len(s.arrivals) != 2 {
		t.Errorf("a whole stream: %+v", s)
	}
}

func TestMetricsOf(t *testing.T) {
	t.Parallel()
	got := metricsOf("goos: linux\nBenchmarkX-2   \t 1\t 63.15 frames/stream\t 0 lost\t 50.3 peak-MiB\nPASS\n")
	if want := map[string]float64{"frames/stream": 63.15, "lost": 0, "peak-MiB": 50.3}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	report := func(calls, units float64) usage.Report {
		return usage.Report{Calls: map[string]map[string]float64{"sqs": {"SendMessage": calls}}, Counters: map[string]float64{usage.WriteUnits: units}}
	}
	d := difference(report(5, 20), report(2, 8))
	if d.Calls["sqs"]["SendMessage"] != 3 || d.Counters[usage.WriteUnits] != 12 {
		t.Errorf("got %+v", d)
	}
	if got := logical("streaming-processor-1cb404a") + " " + logical("PutItem"); got != "processor PutItem" {
		t.Errorf("got %s", got)
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	var r result
	addCosts(&r, map[string]float64{usage.FramesSent: 80, usage.WriteUnits: 20})
	if r.measures[0].value != "$0.0925" || r.measures[1].what != "  WebSocket messages" || r.measures[1].value != "$0.0800" {
		t.Errorf("got %+v", r.measures[:3])
	}
	for _, p := range prices {
		if p.dollars <= 0 || p.source == "" {
			t.Errorf("%s has no price or no source", p.what)
		}
	}
}
