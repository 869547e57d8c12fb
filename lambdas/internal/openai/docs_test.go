package openai_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
)

const (
	page        = "../../../docs/openai.md"
	fieldsBegin = "<!-- fields: written by go test ./lambdas/internal/openai -update -->\n"
	fieldsEnd   = "<!-- end of fields -->"
)

// The tables of the documentation are those of the code.
func TestDocumentedFields(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), fieldsBegin)
	written, after, ends := strings.Cut(rest, fieldsEnd)
	if !begins || !ends {
		t.Fatal("docs/openai.md has lost the marks around its table of fields")
	}
	want := fieldsTable()
	if *update {
		if err := os.WriteFile(page, []byte(before+fieldsBegin+want+fieldsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != want {
		t.Errorf("docs/openai.md does not have the fields of the code; run go test ./lambdas/internal/openai -update\n%s", want)
	}
}

func fieldsTable() string {
	var b strings.Builder
	b.WriteString("\n| field | | |\n|---|---|---|\n")
	for _, f := range openai.Fields() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.Treatment, remark(f))
	}
	b.WriteString("\n")
	return b.String()
}

func remark(f openai.Field) string {
	if len(f.Nothing) == 0 {
		return f.Note
	}
	values := make([]string, len(f.Nothing))
	for i, v := range f.Nothing {
		values[i] = "`" + literal(v) + "`"
	}
	remark := "but for " + strings.Join(values, " and ")
	if f.Note != "" {
		remark = f.Note + "; " + remark
	}
	return remark
}
