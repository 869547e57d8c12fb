package token_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

func TestPool(t *testing.T) {
	t.Parallel()
	const global = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"
	tests := []struct {
		name             string
		env              map[string]string
		wantIss, wantURL string
	}{
		{"aws", map[string]string{"AWS_REGION": "eu-west-1"}, global, global + "/.well-known/jwks.json"},
		{
			"china", map[string]string{"AWS_REGION": "cn-north-1"},
			"https://cognito-idp.cn-north-1.amazonaws.com.cn/eu-west-1_x",
			"https://cognito-idp.cn-north-1.amazonaws.com.cn/eu-west-1_x/.well-known/jwks.json",
		},
		{
			"one endpoint for all services", map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:8080/"},
			global, "http://127.0.0.1:8080/eu-west-1_x/.well-known/jwks.json",
		},
		{
			"an endpoint of its own", map[string]string{
				"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:8080",
				"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:9090",
			},
			global, "http://127.0.0.1:9090/eu-west-1_x/.well-known/jwks.json",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			iss, url := token.Pool(func(name string) string { return tt.env[name] }, "eu-west-1_x")
			if iss != tt.wantIss || url != tt.wantURL {
				t.Errorf("Pool() = %q, %q, want %q, %q", iss, url, tt.wantIss, tt.wantURL)
			}
		})
	}
}
