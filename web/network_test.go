package web_test

import (
	"strings"
	"testing"
	"time"
)

func TestASendWithoutNetworkIsMadeLater(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	f.setNetwork(down)
	p.offline(true)
	p.send("Hello")
	p.waitSaying("You are offline. It is sent when the network is back.")
	p.reload()
	p.offline(true)
	p.waitSaying("It is sent")
	f.setNetwork(up)
	p.offline(false)
	p.waitFor("done")
	if got := len(f.submitted()); got != 1 {
		t.Errorf("%d submissions", got)
	}
}

func TestAStopWithoutNetworkIsMadeLater(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("1000 words")
	p.wait("some words", answerText+`.includes("word3 ")`)
	f.setNetwork(down)
	p.offline(true)
	p.click("#stop")
	p.waitSaying("It is stopped when the connection is back.")
	p.reload()
	p.waitSaying("Stopping…")
	f.setNetwork(up)
	p.offline(false)
	p.waitFor("stopped")
}

// TestAStopOfWhatWasNeverSent has a message that cannot have been heard taken
// back without asking the service.
func TestAStopOfWhatWasNeverSent(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	p.offline(true)
	p.send("Hello")
	p.waitSaying("You are offline.")
	p.click("#stop")
	p.waitFor("stopped")
	p.offline(false)
	time.Sleep(time.Second)
	if got := len(f.submitted()); got != 0 {
		t.Errorf("%d submissions of a message that was stopped before it was sent", got)
	}
}

// TestANetworkThatVanishes has the network swallow everything without a word,
// first when a message is sent, then amid an answer.
func TestANetworkThatVanishes(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	f.setNetwork(hole)
	p.send("100 words held")
	p.waitSaying("The service cannot be reached. It is sent as soon as that is possible.")
	f.setNetwork(up)
	p.wait("some words", answerText+`.includes("word9 ")`)
	f.setNetwork(hole)
	p.waitSaying("The answer goes on at the service")
	close(f.released)
	f.setNetwork(up)
	p.waitFor("done")
	wantWords(t, p, 100)
	if got := len(f.submitted()); got != 1 {
		t.Errorf("%d submissions", got)
	}
}

// TestASilentAnswerSaysWhatItWaitsFor: the connection is fine and nothing comes,
// as when the attempt has died and the service begins another one later.
func TestASilentAnswerSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("hold")
	p.wait("some words", answerText+` === "It goes on"`)
	p.waitSaying("Nothing has come for a while. If the service was interrupted, it takes the answer up again within a minute.")
	close(f.released)
	p.waitFor("done")
	if note := p.eval(`[...document.querySelectorAll(".note-below")].at(-1).innerText`); strings.Contains(note, "a while") {
		t.Errorf("the page still says %q", note)
	}
}

func TestARestartOfTheServiceIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("100 words")
	p.wait("some words", answerText+`.includes("word3 ")`)
	f.setNetwork(down)
	p.waitSaying("The connection is lost. The answer goes on at the service")
	p.wait("the connection's state", `document.getElementById("connection-text").innerText === "Reconnecting…"`)
	f.setNetwork(up)
	p.waitFor("done")
	wantWords(t, p, 100)
	if note := p.eval(`[...document.querySelectorAll(".note-below")].at(-1).innerText`); strings.Contains(note, "lost") {
		t.Errorf("the page still says %q", note)
	}
}
