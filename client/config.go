package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxResponseBytes bounds what is read of any answer: the state of a request
// holds a whole answer of a model, which stays far below it.
const maxResponseBytes = 16 << 20

// Config says where a deployed service is. Its JSON form is the outputs of the
// Pulumi stack, which is also what the local cloud serves at /config.json.
type Config struct {
	RestURL          string `json:"restUrl"`
	WebSocketURL     string `json:"webSocketUrl"`
	Region           string `json:"region"`
	UserPoolID       string `json:"userPoolId"`
	UserPoolClientID string `json:"userPoolClientId"`
	IdentityPoolID   string `json:"identityPoolId,omitempty"`
	// CognitoEndpoint overrides the regional endpoint of Amazon Cognito, as
	// the local cloud does. Default: "", the one of Region.
	CognitoEndpoint string `json:"cognitoEndpoint,omitempty"`
	// DemoUser and DemoPassword are a user that the local cloud offers.
	DemoUser     string `json:"demoUser,omitempty"`
	DemoPassword string `json:"demoPassword,omitempty"`
}

// FetchConfig reads the configuration of a service from a URL, such as
// http://127.0.0.1:8080/config.json of the local cloud.
func FetchConfig(ctx context.Context, url string) (Config, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Config{}, fmt.Errorf("fetching configuration: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Config{}, fmt.Errorf("fetching configuration: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return Config{}, fmt.Errorf("fetching configuration from %s: %s", url, response.Status)
	}
	var cfg Config
	if err := json.NewDecoder(io.LimitReader(response.Body, maxResponseBytes)).Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("decoding configuration from %s: %w", url, err)
	}
	return cfg, cfg.Validate()
}

// Validate reports all fields at once that a client cannot do without.
func (c Config) Validate() error {
	var missing []string
	for name, value := range map[string]string{
		"restUrl": c.RestURL, "webSocketUrl": c.WebSocketURL, "userPoolClientId": c.UserPoolClientID,
	} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if c.Region == "" && c.CognitoEndpoint == "" {
		missing = append(missing, "region")
	}
	if len(missing) > 0 {
		return fmt.Errorf("configuration without %s", strings.Join(slices.Sorted(slices.Values(missing)), ", "))
	}
	if !strings.HasPrefix(c.WebSocketURL, "ws://") && !strings.HasPrefix(c.WebSocketURL, "wss://") {
		return errors.New("configuration: webSocketUrl must begin with ws:// or wss://")
	}
	return nil
}

// cognitoURL is the endpoint of the user pool's API.
func (c Config) cognitoURL() string {
	if c.CognitoEndpoint != "" {
		return strings.TrimSuffix(c.CognitoEndpoint, "/") + "/"
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(c.Region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return "https://cognito-idp." + c.Region + "." + suffix + "/"
}
