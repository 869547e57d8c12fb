package e2e_test

import "testing"

// TestModelErrorsSayWhetherToTryAgain: what the model refuses it would refuse
// under any key, and clients must not try it again. Every copy of the end says
// the same, and nothing is charged.
func TestModelErrorsSayWhetherToTryAgain(t *testing.T) {
	t.Parallel()
	for name, retryable := range map[string]bool{
		"validationException": false, "accessDeniedException": false, "resourceNotFoundException": false,
		"modelErrorException": true,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, cloud(t))
			socket := p.dial()
			id := p.submit("Hi", "tokens=5 rate=0 error="+name+"@0")
			end := socket.Stream(t, id, patience).End
			if end.Type != "error" || end.Code != "model_error" || end.Retryable != retryable {
				t.Errorf("ended with %s, want model_error, retryable %v", end.Raw, retryable)
			}
			socket.Send(t, map[string]any{"action": "resume", "requestId": id})
			if again := socket.Stream(t, id, patience).End; again.Raw != end.Raw {
				t.Errorf("replayed as %s, ended with %s", again.Raw, end.Raw)
			}
			if read := p.state(id); read.Error == nil || read.Error.Retryable != retryable {
				t.Errorf("read %+v", read.Error)
			}
			p.wantSettled(0, 0)
		})
	}
}
