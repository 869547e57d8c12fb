package modelfamily_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

var update = flag.Bool("update", false, "write the table of the documentation instead of comparing with it")

const (
	page       = "../../docs/models.md"
	tableBegin = "<!-- families: written by go test ./internal/modelfamily -args -update -->\n"
	tableEnd   = "<!-- end of families -->"
)

// The table of the documentation is that of the code.
func TestDocumentedFamilies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), tableBegin)
	written, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatal("docs/models.md has lost the marks around its table")
	}
	want := table()
	if *update {
		if err := os.WriteFile(page, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != want {
		t.Errorf("docs/models.md does not have the families of the code; run go test ./internal/modelfamily -args -update\n%s", want)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("\n| family | ids begin with | does not take | reasoning | cache points | tokens of an image | source |\n|---|---|---|---|---|---|---|\n")
	for _, f := range modelfamily.All() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n",
			f.Name, strings.Join(f.Models, "`, `"), f.Missing(), f.Reasoning, f.Cache, imageTokens(f), f.Source)
	}
	b.WriteString("\n")
	return b.String()
}

func imageTokens(f modelfamily.Family) string {
	if f.Lacks&modelfamily.Images != 0 {
		return ""
	}
	return fmt.Sprint(f.TokensOfImage())
}
