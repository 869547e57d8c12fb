package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/components"
)

// openAITarget is the most that /openai/v1 may add to the model's first word.
const openAITarget = 4 * time.Millisecond

// endpoint is a server of the Chat Completions API.
type endpoint struct {
	name, url, key, model string
}

// measureOpenAI asks the model itself and, in turns, everything that stands
// before it.
func measureOpenAI(ctx context.Context, b *bench) (result, error) {
	var r result
	c, err := b.startCloud(ctx, nil, everything)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return r, err
	}
	defer u.close()
	service := endpoint{"through /openai/v1", c.config.OpenAIURL, u.token, components.DefaultModelID}
	proxy, stop, why := b.startLiteLLM(ctx, c)
	defer stop()

	model := c.model()
	var direct, streamed, socket, litellm sample
	const warmUp = 10
	for i := range warmUp + b.times(200, 30) {
		prompt := fmt.Sprintf("Question number %d", i)
		d, err := askModel(ctx, model, prompt)
		if err != nil {
			return r, err
		}
		s, err := service.ask(ctx, prompt)
		if err != nil {
			return r, err
		}
		_, w, err := askService(ctx, u, prompt)
		if err != nil {
			return r, err
		}
		var l time.Duration
		if proxy != nil {
			if l, err = proxy.ask(ctx, prompt); err != nil {
				return r, err
			}
		}
		if i >= warmUp {
			direct, streamed, socket, litellm = append(direct, d), append(streamed, s), append(socket, w), append(litellm, l)
		}
	}
	added := streamed.minus(direct)
	r.add(measure{what: "model called directly", value: milliseconds(direct.median()), spread: "p95 " + milliseconds(direct.at(0.95))})
	r.add(firstWord(service.name, streamed, direct))
	r.add(measure{
		what: "added", value: milliseconds(added.median()), spread: "p95 " + milliseconds(added.at(0.95)),
		target: "≤ 4 ms at p50", met: added.median() <= openAITarget,
	})
	r.add(firstWord("through the queue and the socket", socket, direct))
	if proxy != nil {
		r.add(firstWord(proxy.name, litellm, direct))
	} else {
		r.note("LiteLLM's proxy is not compared with: %s", why)
	}
	r.note("%d rounds in turns; the user's socket is open and gets every answer", len(streamed))
	return r, nil
}

func firstWord(what string, took, direct sample) measure {
	return measure{
		what: what, value: milliseconds(took.median()), spread: "p95 " + milliseconds(took.at(0.95)),
		beside: ratio(float64(took.median()), float64(direct.median())) + " of the direct call",
	}
}

// post asks for a completion; the caller closes the body of its answer.
func (e endpoint) post(ctx context.Context, prompt string, stream bool, script string) (*http.Response, error) {
	body := fmt.Sprintf(`{"model":%q,"stream":%t,"messages":[{"role":"system","content":"script: %s"},{"role":"user","content":%q}]}`, e.model, stream, script, prompt)
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/chat/completions", bytes.NewBufferString(body))
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", e.name, err)
	}
	post.Header.Set("Authorization", "Bearer "+e.key)
	post.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", e.name, err)
	}
	if response.StatusCode != http.StatusOK {
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("asking %s: %s: %s", e.name, response.Status, text)
	}
	return response, nil
}

// ask returns how long the first word takes, and reads the answer to its end.
func (e endpoint) ask(ctx context.Context, prompt string) (time.Duration, error) {
	begun := time.Now()
	response, err := e.post(ctx, prompt, true, firstScript)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	var first time.Duration
	done := false
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		if first == 0 && strings.Contains(line, `"content":"`) && !strings.Contains(line, `"content":""`) {
			first = time.Since(begun)
		}
		done = done || line == "data: [DONE]"
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("reading the answer of %s: %w", e.name, err)
	}
	if first == 0 || !done {
		return 0, fmt.Errorf("the answer of %s is not whole", e.name)
	}
	return first, nil
}
