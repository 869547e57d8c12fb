package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

func submit(t *testing.T, c *client.Client) *client.Stream {
	t.Helper()
	stream, err := c.Submit(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// wantHello fails unless the stream ends well with the text Hello.
func wantHello(t *testing.T, stream *client.Stream) {
	t.Helper()
	text, err := stream.Wait(t.Context())
	if err != nil || text != "Hello" {
		t.Errorf("text %q, error %v", text, err)
	}
}

func wantResume(t *testing.T, got protocol.ClientFrame, attempt, afterSeq int) {
	t.Helper()
	if want := protocol.Resume(requestID, attempt, afterSeq); string(got.Encode()) != string(want.Encode()) {
		t.Errorf("sent %s, want %s", got.Encode(), want.Encode())
	}
}

func TestFramesMayComeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		c := f.client()
		c.Connect()
		f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			f.last().send(startFrame(), deltaFrame(1, "Hel"), deltaFrame(2, "lo"), doneFrame(3))
			time.Sleep(25 * time.Second)
			accept(w, requestID)
		}
		wantHello(t, submit(t, c))
		if len(f.resumes()) != 0 {
			t.Errorf("resumes %v", f.resumes())
		}
	})
}

func TestALostSocketIsOpenedAgainAndResumed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code        websocket.StatusCode
		lived       time.Duration
		least, most time.Duration
	}{
		"two hours over":    {websocket.StatusGoingAway, 12 * time.Second, 0, 0},
		"abnormal":          {0, 12 * time.Second, 0, 500 * time.Millisecond},
		"internal error":    {websocket.StatusInternalError, 12 * time.Second, 0, 500 * time.Millisecond},
		"service restart":   {websocket.StatusServiceRestart, 12 * time.Second, 0, 500 * time.Millisecond},
		"throttled":         {websocket.StatusPolicyViolation, 12 * time.Second, 5 * time.Second, 10 * time.Second},
		"going away, often": {websocket.StatusGoingAway, 0, 0, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve(t, func(t *testing.T, f *fakeService) {
				f.get = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, streaming("Hel", 1)) }
				stream := submit(t, f.connected())
				first := f.last()
				first.send(startFrame(), deltaFrame(1, "Hel"))
				time.Sleep(test.lived)
				before := len(f.resumes())
				f.onFrame(func(s *socket, frame protocol.ClientFrame) {
					if frame.Action == protocol.ActionResume && s != first {
						s.send(deltaFrame(2, "lo"), doneFrame(3))
					}
				})
				closedAt := time.Now()
				if test.code == 0 {
					first.CloseNow()
				} else {
					go first.Close(test.code, "")
				}
				wantHello(t, stream)
				if took := f.last().openedAt.Sub(closedAt); took < test.least || took > test.most {
					t.Errorf("opened again after %v, want %v to %v", took, test.least, test.most)
				}
				if len(f.resumes()) <= before {
					t.Fatal("no resume")
				}
				wantResume(t, f.resumes()[before], 1, 1)
			})
		})
	}
}

func TestAGapIsAskedForAtOnce(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream := submit(t, f.connected())
		f.onFrame(func(s *socket, _ protocol.ClientFrame) {
			s.send(deltaFrame(1, "Hel"), deltaFrame(2, "l"), deltaFrame(3, "o"))
		})
		began := time.Now()
		f.last().send(startFrame(), deltaFrame(3, "o"), doneFrame(4))
		wantHello(t, stream)
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if len(f.resumes()) != 1 {
			t.Errorf("resumes %v", f.resumes())
		}
		wantResume(t, f.resumes()[0], 1, 0)
	})
}

func TestSilenceIsAskedAboutThenRead(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.onFrame(func(s *socket, frame protocol.ClientFrame) {
			if frame.Action == protocol.ActionPing {
				s.send(protocol.PongFrame())
			}
		})
		f.get = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, succeeded("Hello")) }
		stream := submit(t, f.connected())
		began := time.Now()
		f.last().send(startFrame(), deltaFrame(1, "Hel"))
		wantHello(t, stream)
		if took := time.Since(began); took < 4*15*time.Second || took > 4*20*time.Second {
			t.Errorf("read after %v", took)
		}
		if len(f.resumes()) != 3 || f.count("GET", "/v1/requests/"+requestID) != 1 {
			t.Errorf("%d resumes, %d reads", len(f.resumes()), f.count("GET", "/v1/requests/"+requestID))
		}
	})
}

func streaming(text string, lastSeq int) protocol.RequestState {
	return protocol.RequestState{RequestID: requestID, Status: protocol.StatusStreaming, Attempt: 1, Text: text, LastSeq: lastSeq}
}

func succeeded(text string) protocol.RequestState {
	return protocol.RequestState{
		RequestID: requestID, Status: protocol.StatusSucceeded, Attempt: 1, Text: text, LastSeq: 3,
		StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 3, OutputTokens: 2},
	}
}

func TestWithoutASocketTheStateIsRead(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 429, 500} {
		serve(t, func(t *testing.T, f *fakeService) {
			f.handshake = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(status)
				return false
			}
			reads := 0
			f.get = func(w http.ResponseWriter, _ *http.Request) {
				reads++
				switch reads {
				case 1:
					answer(w, 200, streaming("Hel", 1))
				case 2:
					w.WriteHeader(500)
				default:
					answer(w, 200, succeeded("Hello"))
				}
			}
			stream := submit(t, f.client())
			first, err := stream.Next(t.Context())
			if err != nil || first != (client.Delta{Text: "Hel"}) {
				t.Errorf("first event %+v, %v", first, err)
			}
			wantHello(t, stream)
			if dials := f.count("GET", "/socket"); dials > 25 {
				t.Errorf("%d handshakes in about 40 s", dials)
			}
		})
	}
}

func TestFarBehindReadsThenResumes(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		long := strings.Repeat("x", 900)
		f.get = func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, streaming(long, 900))
		}
		f.onFrame(func(s *socket, frame protocol.ClientFrame) {
			s.send(deltaFrame(901, "y"), doneFrame(902))
		})
		stream := submit(t, f.connected())
		f.last().send(startFrame(), deltaFrame(700, "x"))
		text, err := stream.Wait(t.Context())
		if err != nil || text != long+"y" {
			t.Errorf("text of %d bytes, error %v", len(text), err)
		}
		wantResume(t, f.resumes()[len(f.resumes())-1], 1, 900)
		if f.count("GET", "/v1/requests/"+requestID) != 1 {
			t.Errorf("reads %d", f.count("GET", "/v1/requests/"+requestID))
		}
	})
}

func TestAHigherAttemptVoidsTheText(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream := submit(t, f.client())
		f.last().send(startFrame(), deltaFrame(1, "old"),
			protocol.StartFrame(requestID, 2, "m"), deltaFrame(2, "late"), protocol.DeltaFrame(requestID, 2, 1, "new"),
			protocol.ErrorFrame(requestID, 3, 0, protocol.RequestError{Code: protocol.CodeDeadLettered, Message: "gave up", Retryable: true}),
			protocol.DeltaFrame(requestID, 2, 2, "late"))
		var events []client.Event
		for event, err := range stream.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, event)
		}
		wantEvents(t, events, client.Delta{Text: "old"}, client.Restarted{Attempt: 2}, client.Delta{Text: "new"},
			client.Failed{Code: protocol.CodeDeadLettered, Message: "gave up", Retryable: true})
		if stream.Text() != "new" {
			t.Errorf("text %q", stream.Text())
		}
	})
}

func TestTwoStreamsOfOneRequestBothGetIt(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		c := f.client()
		first := submit(t, c)
		f.last().send(startFrame(), deltaFrame(1, "Hel"))
		synctest.Wait()
		f.onFrame(func(s *socket, _ protocol.ClientFrame) {
			s.send(startFrame(), deltaFrame(1, "Hel"), deltaFrame(2, "lo"), doneFrame(3))
		})
		second := c.Follow(requestID)
		wantHello(t, first)
		wantHello(t, second)
	})
}

func TestASubmissionThatHadEndedIsRead(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.submit = func(w http.ResponseWriter, r *http.Request, _ []byte) {
			if r.Header.Get("Idempotency-Key") != "my-key" {
				t.Errorf("key %q", r.Header.Get("Idempotency-Key"))
			}
			answer(w, 202, protocol.SubmitResponse{RequestID: requestID, Status: protocol.StatusSucceeded})
		}
		f.get = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, succeeded("Hello")) }
		began := time.Now()
		stream, err := f.client().Submit(t.Context(), hello, client.WithIdempotencyKey("my-key"))
		if err != nil {
			t.Fatal(err)
		}
		wantHello(t, stream)
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFollowingAnUnknownRequestFails(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.onFrame(func(s *socket, _ protocol.ClientFrame) {
			s.send(protocol.NoticeFrame(protocol.CodeNotFound, "no such request"))
		})
		_, err := f.client().Follow(requestID).Wait(t.Context())
		var refusal *client.APIError
		if !errors.As(err, &refusal) || refusal.Code != protocol.CodeNotFound {
			t.Errorf("error %v", err)
		}
	})
}
