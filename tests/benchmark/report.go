package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// measure is one figure.
type measure struct {
	what   string
	value  string
	spread string // p95, or whatever tells how far to trust the value
	beside string // what it is compared to, measured in the same run
	target string // "": none
	met    bool

	columns []string // instead of value, spread and beside: one for each thing compared
}

// result is what a row measured.
type result struct {
	measures []measure
	notes    []string
}

func (r *result) add(m measure) { r.measures = append(r.measures, m) }

func (r *result) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// format lays the row out as a table.
func (r *result) format(of row) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s: %s\n", of.name, of.title)
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, m := range r.measures {
		line := append([]string{"  " + m.what}, m.columns...)
		if m.columns == nil {
			line = append(line, m.value, m.spread, m.beside, m.outcome())
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	_ = table.Flush() // into memory
	for _, note := range r.notes {
		fmt.Fprintf(&text, "  %s\n", note)
	}
	return trimLines(text.String())
}

// outcome is the target and whether it is met.
func (m measure) outcome() string {
	switch {
	case m.target == "":
		return ""
	case m.met:
		return m.target + "  met"
	}
	return m.target + "  MISSED"
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// verdict counts the targets and names the missed ones.
func verdict(all []measure) string {
	var met int
	var missed []string
	for _, m := range all {
		switch {
		case m.target == "":
		case m.met:
			met++
		default:
			missed = append(missed, fmt.Sprintf("%s: %s, target %s", strings.TrimSpace(m.what), strings.TrimSpace(m.value+" "+m.spread), m.target))
		}
	}
	if missed == nil {
		return fmt.Sprintf("\ntargets: %d met, none missed\n", met)
	}
	return fmt.Sprintf("\ntargets: %d met, %d missed\n  missed  %s\n", met, len(missed), strings.Join(missed, "\n  missed  "))
}

// machine says what kind of machine this is and how busy it is.
func machine() string {
	line := fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		one, _, _ := strings.Cut(string(load), " ")
		line += ", load average before the run " + one
	}
	return line
}

// milliseconds prints a duration in ms with a digit or two that matter.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 100 || ms <= -100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10 || ms <= -10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f ms", ms)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// ratio prints how many times a is of b.
func ratio(a, b float64) string {
	if b == 0 {
		return "–"
	}
	if r := a / b; r < 10 {
		return fmt.Sprintf("%.1f×", r)
	}
	return fmt.Sprintf("%.0f×", a/b)
}
