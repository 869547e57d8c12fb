package component_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestWhatAWSTakes: settings that AWS takes are not refused.
func TestWhatAWSTakes(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]args{
		"the account's own throttle": {Throttle: &components.ThrottleSettings{
			RateLimit: pulumi.Float64(10_000), BurstLimit: pulumi.Int(5000), WebSocketRateLimit: pulumi.Float64(10_000), WebSocketBurstLimit: pulumi.Int(5000),
		}},
		"bursts of one": {Throttle: &components.ThrottleSettings{
			BurstLimit: pulumi.Int(1), WebSocketBurstLimit: pulumi.Int(1), UserRateLimit: pulumi.Float64(1000), UserBurstLimit: pulumi.Int(1),
		}},
		"an e-mail address as sender": {Auth: &components.AuthSettings{SesSourceArn: pulumi.String("arn:aws:ses:eu-west-1:123456789012:identity/chat@example.com")}},
		"a domain in punycode":        {Domain: &components.DomainSettings{Rest: pulumi.String("api.xn--e1afmkfd.xn--p1ai"), CertificateArn: pulumi.String(certificateARN)}},
		"tags in other letters":       {Tags: pulumi.StringMap{strings.Repeat("ü", 128): pulumi.String(strings.Repeat("ß", 256))}},
		"zones of several parts":      {Quota: &components.QuotaSettings{TimeZone: pulumi.String("America/Argentina/ComodRivadavia")}},
		"zones with signs":            {Quota: &components.QuotaSettings{TimeZone: pulumi.String("Etc/GMT+12")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := tryDeclare(&given); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAdoptedPoolOfAnotherRegion: the service would look for it in its own.
func TestAdoptedPoolOfAnotherRegion(t *testing.T) {
	t.Parallel()
	_, err := tryDeclare(&args{Auth: &components.AuthSettings{UserPoolId: pulumi.String("us-east-1_Abc"), UserPoolClientId: pulumi.String("c1")}})
	if want := `auth.userPoolId must be a user pool of the service's Region eu-west-1, got "us-east-1_Abc"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
