package engine_test

import (
	"testing"
)

// TestLife takes one stack from its preview to its end.
func TestLife(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	s := c.newStack(t, "life")

	planned := s.preview("preview")
	if c.changes() != 0 || len(c.Declared()) != 0 {
		t.Errorf("the preview made %d changes and left %v", c.changes(), c.Declared())
	}
	created := s.up("up")
	if len(created.creates) == 0 || len(planned.creates) != len(created.creates) {
		t.Errorf("the preview planned %d creates, the update made %d", len(planned.creates), len(created.creates))
	}
	s.stream("ada@example.com")

	if again := s.up("up again"); !again.nothing() {
		t.Errorf("the second update did %+v", again)
	}
	if drifted := s.refresh("refresh"); drifted != 0 {
		t.Errorf("%d resources drifted without a change", drifted)
	}
	if after := s.up("up after refresh"); !after.nothing() {
		t.Errorf("the update after the refresh did %+v", after)
	}
	gone := s.destroy("destroy")
	if len(gone.deletes) != len(created.creates) || len(c.Declared()) != 0 {
		t.Errorf("%d of %d resources were deleted; left are %v", len(gone.deletes), len(created.creates), c.Declared())
	}
}
