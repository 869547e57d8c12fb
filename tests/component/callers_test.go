package component_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestCallersAreCanonical: what is accepted reaches the functions in the form
// in which callers are compared with it.
func TestCallersAreCanonical(t *testing.T) {
	t.Parallel()
	origins := pulumi.ToStringArray([]string{"https://App.example.com:443", "http://localhost:80", "https://app.example.com"})
	cidrs := pulumi.ToStringArray([]string{"::ffff:203.0.113.0/120", "2001:DB8::/32"})
	for name, auth := range map[string]*components.AuthSettings{
		"plain":   {AllowedOrigins: origins, AllowedCidrs: cidrs},
		"outputs": {AllowedOrigins: origins.ToStringArrayOutput(), AllowedCidrs: cidrs.ToStringArrayOutput()},
	} {
		r := declare(t, &args{Auth: auth})
		for _, function := range []string{"authorizer", "quota", "requests"} {
			for variable, want := range map[string]string{"ALLOWED_ORIGINS": "https://app.example.com,http://localhost", "ALLOWED_CIDRS": "203.0.113.0/24,2001:db8::/32"} {
				if got := r.find(t, function).property("environment", "variables", variable); got != want {
					t.Errorf("%s: function %s has %s %v, want %s", name, function, variable, got, want)
				}
			}
		}
		if got := origins[0]; got != pulumi.String("https://App.example.com:443") {
			t.Errorf("%s: the caller's own list became %v", name, origins)
		}
	}
}

// TestGatewayOrigin: errors of API Gateway itself name the allowed origin if it
// is one, as they cannot choose from several.
func TestGatewayOrigin(t *testing.T) {
	t.Parallel()
	one, two := pulumi.ToStringArray([]string{"https://A.example:443"}), pulumi.ToStringArray([]string{"https://a.example", "https://b.example"})
	for _, test := range []struct {
		name    string
		allowed pulumi.StringArrayInput
		want    string
	}{
		{"no list", nil, "'*'"},
		{"one", one, "'https://a.example'"},
		{"one Output", one.ToStringArrayOutput(), "'https://a.example'"},
		{"one written twice", pulumi.ToStringArray([]string{"https://a.example", "https://a.example:443"}), "'https://a.example'"},
		{"several", two, "'*'"},
		{"several Outputs", two.ToStringArrayOutput(), "'*'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := declare(t, &args{Auth: &components.AuthSettings{AllowedOrigins: test.allowed}})
			responses, _ := restDocument(t, r).at("x-amazon-apigateway-gateway-responses").(map[string]any)
			if len(responses) == 0 {
				t.Fatal("no gateway response was declared")
			}
			for kind, response := range responses {
				d := declared{Inputs: response.(map[string]any)}
				if got := d.property("responseParameters", "gatewayresponse.header.Access-Control-Allow-Origin"); got != test.want {
					t.Errorf("%s allows %v, want %s", kind, got, test.want)
				}
			}
		})
	}
}
