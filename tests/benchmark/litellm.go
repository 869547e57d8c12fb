package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/components"
)

// litellmVersion is the LiteLLM that is compared with.
const litellmVersion = "1.108.7"

// litellmPatience is how long its proxy may take to start: it imports most of
// its 100 packages before it listens, a minute and more on a busy machine.
const litellmPatience = 10 * time.Minute

// startLiteLLM starts LiteLLM's proxy before the cloud's model, or says why it
// is not compared with.
func (b *bench) startLiteLLM(ctx context.Context, c *cloud) (proxy *endpoint, stop func(), why string) {
	stop = func() {}
	if !b.litellm {
		return nil, stop, "the flag -litellm was not given"
	}
	environment, err := b.installLiteLLM(ctx)
	if err != nil {
		return nil, stop, err.Error()
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, stop, err.Error()
	}
	l := &litellm{
		endpoint: endpoint{name: "through LiteLLM's proxy", url: "http://" + address.String(), key: "sk-" + rand.Text(), model: "scripted"},
		program:  filepath.Join(environment, "bin", "litellm"),
	}
	if stop, err = l.serve(ctx, b, c, address.Port); err != nil {
		return nil, stop, err.Error()
	}
	return &l.endpoint, stop, ""
}

// installLiteLLM makes a virtual environment with LiteLLM in the user's cache,
// unless it is there from an earlier run.
func (b *bench) installLiteLLM(ctx context.Context) (environment string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for LiteLLM: %w", err)
	}
	environment = filepath.Join(cache, "streaming-service", "litellm-"+litellmVersion)
	whole := filepath.Join(environment, "installed")
	if _, err := os.Stat(whole); err == nil {
		return environment, nil
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("there is no python3 on this machine")
	}
	b.progress("pip installs LiteLLM %s into %s", litellmVersion, environment)
	for _, command := range [][]string{
		{python, "-m", "venv", "--clear", environment},
		{filepath.Join(environment, "bin", "pip"), "install", "--quiet", "litellm[proxy]==" + litellmVersion},
	} {
		if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // of the constants above
			return "", fmt.Errorf("%s failed: %w: %s", command[0], err, lastLines(string(output)))
		}
	}
	return environment, os.WriteFile(whole, nil, 0o600)
}

// litellm is LiteLLM's proxy.
type litellm struct {
	endpoint

	program string
	log     bytes.Buffer // read once the process has ended
}

// serve starts the proxy and waits until it answers.
func (l *litellm) serve(ctx context.Context, b *bench, c *cloud, port int) (stop func(), err error) {
	config := filepath.Join(b.dir, "litellm.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, litellmConfig, components.DefaultModelID, c.URL(), c.config.Region), 0o600); err != nil {
		return func() {}, err
	}
	command := exec.CommandContext(ctx, l.program, "--config", config, "--host", "127.0.0.1", "--port", fmt.Sprint(port)) //nolint:gosec // of this program's own making
	command.Env = append(os.Environ(), "LITELLM_MASTER_KEY="+l.key, "LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_TELEMETRY=False")
	command.Stdout, command.Stderr = &l.log, &l.log
	if err := command.Start(); err != nil {
		return func() {}, fmt.Errorf("starting LiteLLM's proxy: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // its log tells why
	}()
	stop = func() {
		_ = command.Process.Kill()
		<-ended
	}
	if err := l.await(ctx, b, ended); err != nil {
		stop()
		return func() {}, fmt.Errorf("%w; its log ends with: %s", err, lastLines(l.log.String()))
	}
	return stop, nil
}

func (l *litellm) await(ctx context.Context, b *bench, ended <-chan struct{}) error {
	const tell = 20
	begun := time.Now()
	for try := 0; time.Since(begun) < litellmPatience; try++ {
		if l.lives(ctx) {
			b.progress("LiteLLM's proxy took %.0f s to start", time.Since(begun).Seconds())
			return nil
		}
		if try%tell == tell-1 {
			b.progress("LiteLLM's proxy is starting, for %.0f s", time.Since(begun).Seconds())
		}
		select {
		case <-ended:
			return errors.New("LiteLLM's proxy ended instead of starting")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return fmt.Errorf("LiteLLM's proxy did not start within %v", litellmPatience)
}

// lives reports whether the proxy answers.
func (l *litellm) lives(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+"/health/liveliness", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// litellmConfig takes a model id, the address of the model and a Region.
const litellmConfig = `model_list:
  - model_name: scripted
    litellm_params:
      model: bedrock/converse/%s
      aws_bedrock_runtime_endpoint: %s
      aws_region_name: %s
      aws_access_key_id: local
      aws_secret_access_key: local
`

// lastLines is where a program usually says what is wrong.
func lastLines(output string) string {
	const most = 5
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], " | ")
}

func freeAddress(ctx context.Context) (*net.TCPAddr, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr), nil
}
