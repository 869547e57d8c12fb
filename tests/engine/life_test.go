package engine_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/stack"
)

// TestLife takes one stack from its preview to its end and keeps the counts in
// the documentation.
func TestLife(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	s := c.newStack(t, "life")

	planned := s.preview("`pulumi preview` of a new stack")
	if c.changes() != 0 || len(c.Declared()) != 0 {
		t.Errorf("the preview made %d changes and left %v", c.changes(), c.Declared())
	}
	created := s.up("`pulumi up`")
	if len(created.creates) == 0 || !slices.Equal(planned.creates, created.creates) {
		t.Errorf("the preview planned to create %v, the update created %v", planned.creates, created.creates)
	}
	s.stream("ada@example.com")
	s.expectNothing("`pulumi up` again")
	if drifted := s.refresh("refresh"); drifted != 0 {
		t.Errorf("%d resources drifted without a change", drifted)
	}
	s.expectNothing("`pulumi refresh`, then `pulumi up`")

	s.configure(settings{"quota.monthlyRequests": 20})
	s.expectUpdates("another `quota.monthlyRequests`", "streaming-completions", "streaming-quota")
	s.configure(settings{"throttle.rateLimit": 500})
	s.expectUpdates("another `throttle.rateLimit`, the quota back", "streaming-completions", "streaming-quota", "streaming-rest-method-settings")
	s.use(stack.Program(stack.WithFunctionBuilder(rebuilt{t.TempDir()})))
	s.expectUpdates("another version of the functions' code", all("streaming-", components.Functions())...)
	s.stream("bob@example.com")

	gone := s.destroy("`pulumi destroy`")
	if len(gone.deletes) != len(created.creates) || len(c.Declared()) != 0 {
		t.Errorf("%d of %d resources were deleted; left are %v", len(gone.deletes), len(created.creates), c.Declared())
	}
	s.keepLife()
}

// expectNothing updates the stack, which must have no effect.
func (s *testStack) expectNothing(name string) {
	s.t.Helper()
	if did := s.up(name); !did.nothing() {
		s.t.Errorf("%s: %s", name, did.described())
	}
}

// expectUpdates updates the stack, which must change these resources in place
// and no others.
func (s *testStack) expectUpdates(name string, resources ...string) {
	s.t.Helper()
	did := s.up(name)
	slices.Sort(resources)
	if !slices.Equal(did.updates, resources) || len(did.creates)+len(did.replaces)+len(did.deletes) > 0 {
		s.t.Errorf("%s: %s; want updates of %v", name, did.described(), resources)
	}
}

// keepLife keeps the table of the steps in the documentation.
func (s *testStack) keepLife() {
	s.t.Helper()
	table := "| step | created | updated | replaced | deleted | unchanged |\n|---|---|---|---|---|---|\n"
	for _, did := range s.steps {
		table += fmt.Sprintf("| %s | %d | %d | %d | %d | %d |\n", strings.TrimPrefix(did.name, s.Name()+": "),
			len(did.creates), len(did.updates), len(did.replaces), len(did.deletes), did.same)
	}
	keepSection(s.t, "life", table)
}

// all puts a prefix before each name.
func all(prefix string, names []string) []string {
	prefixed := make([]string, len(names))
	for i, name := range names {
		prefixed[i] = prefix + name
	}
	return prefixed
}

// rebuilt provides the functions in another version: with one more file.
type rebuilt struct{ dir string }

// Build implements components.FunctionBuilder.
func (r rebuilt) Build(ctx context.Context, function, architecture string) (string, error) {
	path, err := functions.Build(ctx, function, architecture)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(r.dir, function+".zip")
	return changed, addVersion(path, changed)
}

// addVersion copies a zip and adds a file to it.
func addVersion(from, to string) error {
	source, err := zip.OpenReader(from)
	if err != nil {
		return fmt.Errorf("opening function: %w", err)
	}
	defer source.Close()
	file, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("creating function: %w", err)
	}
	defer file.Close()
	target := zip.NewWriter(file)
	for _, entry := range source.File {
		if err := target.Copy(entry); err != nil {
			return fmt.Errorf("copying %s: %w", entry.Name, err)
		}
	}
	version, err := target.Create("VERSION")
	if err != nil {
		return fmt.Errorf("adding version: %w", err)
	}
	if _, err := io.WriteString(version, "2"); err != nil {
		return fmt.Errorf("adding version: %w", err)
	}
	return target.Close()
}

// TestPrebuiltFunctions uses the same functions from a directory, which changes
// nothing.
func TestPrebuiltFunctions(t *testing.T) {
	t.Parallel()
	s := startCloud(t).newStack(t, "prebuilt")
	s.up("up")
	dir := t.TempDir()
	for _, function := range components.Functions() {
		path, err := functions.Build(t.Context(), function, "")
		if err != nil {
			t.Fatal(err)
		}
		copyFile(t, path, filepath.Join(dir, function+".zip"))
	}
	s.configure(settings{"functionArchiveDir": dir})
	s.expectNothing("the same functions from a directory")
}
