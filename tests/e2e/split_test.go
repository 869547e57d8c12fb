package e2e_test

import "testing"

// A character that the model sends in two halves is whole on every socket and in
// GET.
func TestCharactersInTwoHalves(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	id := p.submit("Smile", `split rate=50 text="😀 and 𝄞𝄞 and é"`)
	const want = "😀 and 𝄞𝄞 and é"
	if got := socket.Stream(t, id, patience); got.Text != want || got.End.Type != "done" {
		t.Errorf("said %q, ended with %s", got.Text, got.End.Raw)
	}
	if s := p.state(id); s.Text != want {
		t.Errorf("reads as %q", s.Text)
	}
}
