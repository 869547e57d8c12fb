package localcloud_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/localcloud"
)

// TestTwoSitesOfOneProgram: each service has its page at an address of its own,
// and the page its own service.
func TestTwoSitesOfOneProgram(t *testing.T) {
	t.Parallel()
	enabled := true
	declare := func(ctx *pulumi.Context, with localcloud.Setup) error {
		for _, name := range []string{"alpha", "beta"} {
			svc, err := components.NewStreamingService(ctx, name, &components.StreamingServiceArgs{
				Site: &components.SiteSettings{Enabled: &enabled}, FunctionBuilder: with.Builder,
			})
			if err != nil {
				return err
			}
			ctx.Export(name, pulumi.Map{"restUrl": svc.RestUrl})
			ctx.Export(name+"SiteUrl", svc.SiteUrl)
		}
		return nil
	}
	cloud, err := localcloud.Run(t.Context(), localcloud.Program{Declare: declare}, localcloud.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	}()
	var outputs struct {
		Alpha, Beta               struct{ RestURL string }
		AlphaSiteURL, BetaSiteURL string
	}
	getJSON(t, cloud.URL()+"/_local/outputs", &outputs)
	if outputs.AlphaSiteURL != cloud.URL() || outputs.AlphaSiteURL == outputs.BetaSiteURL {
		t.Errorf("the sites are at %s and %s", outputs.AlphaSiteURL, outputs.BetaSiteURL)
	}
	for site, want := range map[string]string{outputs.AlphaSiteURL: outputs.Alpha.RestURL, outputs.BetaSiteURL: outputs.Beta.RestURL} {
		var config struct{ RestURL string }
		getConfig(t, cloud, strings.TrimPrefix(site, "http://"), &config)
		if config.RestURL != want || want == "" {
			t.Errorf("the page at %s calls %s, want %s", site, config.RestURL, want)
		}
	}
}

// getConfig reads the configuration of a site. Browsers find a name below
// localhost, but not every resolver does.
func getConfig(t *testing.T, cloud *localcloud.Cloud, host string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cloud.URL()+"/config.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
