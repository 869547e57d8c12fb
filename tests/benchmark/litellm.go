package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/streaming-service/streaming-service/components"
)

// litellmVersion is the LiteLLM that is compared with.
const litellmVersion = "1.108.7"

// litellmPatience is how long its proxy may take to start.
const litellmPatience = 2 * time.Minute

// startLiteLLM starts LiteLLM's proxy before the cloud's model, or says why it
// is not compared with.
func (b *bench) startLiteLLM(ctx context.Context, c *cloud) (proxy *endpoint, stop func(), why string) {
	stop = func() {}
	if !b.litellm {
		return nil, stop, "the flag -litellm was not given"
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, stop, "there is no python3 on this machine"
	}
	dir := filepath.Join(b.dir, "litellm")
	b.progress("pip installs LiteLLM %s", litellmVersion)
	for _, command := range [][]string{
		{python, "-m", "venv", dir},
		{filepath.Join(dir, "bin", "pip"), "install", "--quiet", "litellm[proxy]==" + litellmVersion},
	} {
		if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // of the constants above
			return nil, stop, fmt.Sprintf("%s failed: %v: %s", command[0], err, firstLine(string(output)))
		}
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, stop, err.Error()
	}
	server := &endpoint{name: "through LiteLLM's proxy", url: "http://" + address.String(), key: "any", model: "scripted"}
	if stop, err = server.serve(ctx, c, dir, address.Port); err != nil {
		return nil, stop, err.Error()
	}
	return server, stop, ""
}

// serve starts the proxy and waits until it answers.
func (e *endpoint) serve(ctx context.Context, c *cloud, dir string, port int) (stop func(), err error) {
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, litellmConfig, components.DefaultModelID, c.URL(), c.config.Region), 0o600); err != nil {
		return func() {}, err
	}
	command := exec.CommandContext(ctx, filepath.Join(dir, "bin", "litellm"), "--config", config, "--host", "127.0.0.1", "--port", fmt.Sprint(port)) //nolint:gosec // of this program's own making
	command.Env = append(os.Environ(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_TELEMETRY=False")
	if err := command.Start(); err != nil {
		return func() {}, fmt.Errorf("starting LiteLLM's proxy: %w", err)
	}
	stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	for begun := time.Now(); time.Since(begun) < litellmPatience; time.Sleep(time.Second) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/health/liveliness", nil)
		if err != nil {
			return stop, err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return stop, nil
			}
		}
	}
	return stop, fmt.Errorf("LiteLLM's proxy did not start within %v", litellmPatience)
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

func freeAddress(ctx context.Context) (*net.TCPAddr, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr), nil
}
