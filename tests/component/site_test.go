package component_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
	page "github.com/streaming-service/streaming-service/web/build"
)

const (
	objectType = "aws:s3/bucketObjectv2:BucketObjectv2"
	// siteAddress is what the mocks' CloudFront names a distribution.
	siteAddress = "https://d111111abcdef8.cloudfront.net"
)

// hosted are settings with a page, and what else is given.
func hosted(given args) *args {
	given.Site = &components.SiteSettings{Enabled: new(true)}
	return &given
}

// hostedAt are settings with a page under a name of one's own.
func hostedAt(domain pulumi.StringPtrInput, given args) *args {
	given.Site = &components.SiteSettings{Enabled: new(true), Domain: domain, CertificateArn: pulumi.String(siteCertificateARN)}
	return &given
}

func origins(list ...string) args {
	return args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray(list)}}
}

// TestSite: what there is of the page, and nothing of it without the setting.
func TestSite(t *testing.T) {
	t.Parallel()
	with, without := declare(t, hosted(args{})), declare(t, nil)
	for name := range without.resources {
		if strings.Contains(name, "site") {
			t.Errorf("%s was declared without a page", name)
		}
	}
	if got := without.find(t, "rest-stage").property("variables"); got != nil {
		t.Errorf("a stage without a page has the variables %v", got)
	}
	for role, want := range map[string]string{
		"site":               "aws:s3/bucketV2:BucketV2",
		"site-access":        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
		"site-encryption":    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		"site-ownership":     "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
		"site-policy":        "aws:s3/bucketPolicy:BucketPolicy",
		"site-origin-access": "aws:cloudfront/originAccessControl:OriginAccessControl",
		"site-headers":       "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
		"site-distribution":  "aws:cloudfront/distribution:Distribution",
	} {
		if got := with.find(t, role).Type; got != want {
			t.Errorf("%s is a %s, want a %s", role, got, want)
		}
	}
}

// TestDistribution: with a certificate of CloudFront's or of one's own. The golden
// of all settings has the rest.
func TestDistribution(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args                    *args
		aliases, viewer, origin any
	}{
		{hosted(args{}), nil, map[string]any{"cloudfrontDefaultCertificate": true}, siteAddress},
		{hostedAt(pulumi.String("chat.example.com"), args{}), []any{"chat.example.com"}, ownCertificate, "https://chat.example.com"},
		{hostedAt(pulumi.String("chat.example.com").ToStringPtrOutput(), args{}), []any{"chat.example.com"}, ownCertificate, "https://chat.example.com"},
	} {
		r := declare(t, test.args)
		d := r.find(t, "site-distribution")
		if got := d.property("aliases"); !reflect.DeepEqual(got, test.aliases) {
			t.Errorf("aliases are %v, want %v", got, test.aliases)
		}
		if got := d.property("viewerCertificate"); !reflect.DeepEqual(got, test.viewer) {
			t.Errorf("certificate is %v, want %v", got, test.viewer)
		}
		for _, got := range []any{r.find(t, "rest-stage").property("variables", "siteOrigin"), r.find(t, "websocket-stage").property("stageVariables", "siteOrigin")} {
			if got != test.origin {
				t.Errorf("a stage names the page's origin %v, want %v", got, test.origin)
			}
		}
	}
}

var ownCertificate = map[string]any{"acmCertificateArn": siteCertificateARN, "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021"}

// TestSiteIsReadByItsDistributionAlone has the whole policy of the bucket.
func TestSiteIsReadByItsDistributionAlone(t *testing.T) {
	t.Parallel()
	const want = `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Deny","Action":["s3:*"],"Resource":["arn:svc-site","arn:svc-site/*"],"Principal":{"AWS":"*"},"Condition":{"Bool":{"aws:SecureTransport":["false"]}}},` +
		`{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:svc-site/*"],"Principal":{"Service":"cloudfront.amazonaws.com"},"Condition":{"StringEquals":{"AWS:SourceArn":["arn:svc-site-distribution"]}}}]}`
	given := args{Protection: &components.ProtectionSettings{KmsKeyArn: pulumi.String(keyARN)}}
	r := declare(t, hosted(given))
	if got := r.find(t, "site-policy").property("policy"); got != want {
		t.Errorf("policy is\n%v, want\n%s", got, want)
	}
	rules, _ := r.find(t, "site-encryption").property("rules").([]any)
	if got := rules[0].(map[string]any)["applyServerSideEncryptionByDefault"]; !reflect.DeepEqual(got, map[string]any{"sseAlgorithm": "AES256"}) {
		t.Errorf("the page is encrypted with %v, which CloudFront may not read", got)
	}
}

// TestSitePolicy: the page may talk to this service, by the names that its clients
// use, and to nothing else.
func TestSitePolicy(t *testing.T) {
	t.Parallel()
	const (
		rest      = "https://svc-rest-api-id.execute-api.eu-west-1.amazonaws.com"
		webSocket = "wss://svc-websocket-api-id.execute-api.eu-west-1.amazonaws.com"
		cognito   = "https://cognito-idp.eu-west-1.amazonaws.com"
		uploads   = "https://svc-uploads-bucket.s3.eu-west-1.amazonaws.com"
	)
	domains := &components.DomainSettings{Rest: pulumi.String("api.example.com"), WebSocket: pulumi.String("stream.example.com"), CertificateArn: pulumi.String(certificateARN)}
	for _, test := range []struct {
		given args
		want  []string
	}{
		{args{}, []string{rest, webSocket, cognito, uploads}},
		{args{Uploads: new(false)}, []string{rest, webSocket, cognito}},
		{args{Domain: domains}, []string{"https://api.example.com", "wss://stream.example.com", cognito, uploads}},
		{args{Domain: &components.DomainSettings{Rest: pulumi.String("api.example.com"), CertificateArn: pulumi.String(certificateARN)}}, []string{"https://api.example.com", webSocket, cognito, uploads}},
	} {
		want := page.Policy(append([]string{"'self'"}, test.want...)...)
		d := declare(t, hosted(test.given)).find(t, "site-headers")
		if got := d.property("securityHeadersConfig", "contentSecurityPolicy", "contentSecurityPolicy"); got != want {
			t.Errorf("policy is\n%v, want\n%s", got, want)
		}
	}
}

// TestSiteHeaders: what the page asks of its host arrives, and HSTS. CloudFront
// refuses custom headers that it has settings for.
func TestSiteHeaders(t *testing.T) {
	t.Parallel()
	d := declare(t, hosted(args{})).find(t, "site-headers")
	sent := map[string]string{
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        d.property("securityHeadersConfig", "frameOptions", "frameOption").(string),
		"Referrer-Policy":        d.property("securityHeadersConfig", "referrerPolicy", "referrerPolicy").(string),
	}
	if d.property("securityHeadersConfig", "contentTypeOptions", "override") != true {
		t.Error("the types of files may be guessed")
	}
	if got := d.property("securityHeadersConfig", "strictTransportSecurity", "accessControlMaxAgeSec"); got != 31536000.0 {
		t.Errorf("HTTPS is kept for %v seconds", got)
	}
	items, _ := d.property("customHeadersConfig", "items").([]any)
	for _, item := range items {
		item := item.(map[string]any)
		sent[item["header"].(string)] = item["value"].(string)
	}
	if !maps.Equal(sent, page.Headers()) {
		t.Errorf("headers are %v, want %v", sent, page.Headers())
	}
}

// TestSiteFiles: every file of the page, as it asks to be served; what open tabs
// may still load is kept, and the page itself comes after what it names.
func TestSiteFiles(t *testing.T) {
	t.Parallel()
	files, err := page.Page()
	if err != nil {
		t.Fatal(err)
	}
	r := declare(t, hosted(args{}))
	declared := r.ofType(objectType)
	if len(declared) != len(files)+1 {
		t.Errorf("%d files are declared, want the page's %d and config.json", len(declared), len(files))
	}
	var before []string
	for name, file := range files {
		d := r.find(t, "site-file-"+name)
		want := map[string]any{"bucket": "svc-site-id", "key": name, "content": string(file.Content), "contentType": file.ContentType, "cacheControl": file.CacheControl}
		if !reflect.DeepEqual(d.Inputs, want) {
			t.Errorf("%s differs from what the page has", name)
		}
		if d.Retain != (name != page.Index) {
			t.Errorf("%s is retained: %v", name, d.Retain)
		}
		if name != page.Index {
			before = append(before, d.Name)
		}
	}
	index := r.find(t, "site-file-"+page.Index).Dependencies
	for _, name := range append(before, "svc-site-file-config.json") {
		if !slices.Contains(index, name) {
			t.Errorf("the page may come before %s", name)
		}
	}
	if d := r.find(t, "site-file-config.json"); d.Retain || d.property("cacheControl") != "no-cache" || d.property("contentType") != "application/json" {
		t.Errorf("config.json is %+v", d)
	}
}

// TestSiteConfiguration: the page learns what it reads, and nothing of the names
// of tables and queues.
func TestSiteConfiguration(t *testing.T) {
	t.Parallel()
	content, _ := declare(t, hosted(args{})).find(t, "site-file-config.json").property("content").(string)
	var got map[string]any
	if err := json.Unmarshal([]byte(content), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"restUrl": "https://rest/v1", "webSocketUrl": "wss://socket/v1", "region": "eu-west-1", "userPoolClientId": "svc-user-pool-client-id",
		"signIn": map[string]any{"mfa": "OFF", "passwordMinimumLength": "12", "selfSignUp": "false"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config.json is %v, want %v", got, want)
	}
}

// TestSiteMayCall: the page is an allowed origin wherever there is a list of them.
func TestSiteMayCall(t *testing.T) {
	t.Parallel()
	own := pulumi.String("chat.example.com")
	for _, test := range []struct {
		name    string
		args    *args
		uploads []any // origins that may put uploads
		gateway string
	}{
		{"no list", hosted(args{}), []any{"*"}, "*"},
		{"a list", hosted(origins("https://a.example.com")), []any{"https://a.example.com", siteAddress}, "*"},
		{"a list, and a name of one's own", hostedAt(own, origins("https://a.example.com")), []any{"https://a.example.com", "https://chat.example.com"}, "*"},
		{"the name itself", hostedAt(own, origins("https://CHAT.example.com:443")), []any{"https://chat.example.com"}, "https://chat.example.com"},
		{"the name itself, known later", hostedAt(own.ToStringPtrOutput(), args{Auth: &components.AuthSettings{
			AllowedOrigins: pulumi.ToStringArray([]string{"https://chat.example.com"}).ToStringArrayOutput(),
		}}), []any{"https://chat.example.com"}, "https://chat.example.com"},
	} {
		r := declare(t, test.args)
		rules, _ := r.find(t, "uploads-cors").Inputs["corsRules"].([]any)
		if got := rules[0].(map[string]any)["allowedOrigins"]; !reflect.DeepEqual(got, test.uploads) {
			t.Errorf("%s: uploads come from %v, want %v", test.name, got, test.uploads)
		}
		parameters := restDocument(t, r).at("x-amazon-apigateway-gateway-responses", "DEFAULT_5XX", "responseParameters")
		if got := parameters.(map[string]any)["gatewayresponse.header.Access-Control-Allow-Origin"]; got != "'"+test.gateway+"'" {
			t.Errorf("%s: errors of the gateway are for %v, want %s", test.name, got, test.gateway)
		}
	}
}

// TestSiteOutputs: siteUrl and siteDomainTarget, empty without.
func TestSiteOutputs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args *args
		want [2]string
	}{
		{nil, [2]string{}},
		{hosted(args{}), [2]string{siteAddress, ""}},
		{hostedAt(pulumi.String("chat.example.com"), args{}), [2]string{"https://chat.example.com", "d111111abcdef8.cloudfront.net"}},
	} {
		got := make(chan [2]string, 1)
		_, err := run(func(ctx *pulumi.Context) error {
			svc, err := components.NewStreamingService(ctx, service, withFake(test.args))
			if err != nil {
				return err
			}
			pulumi.All(svc.SiteUrl, svc.SiteDomainTarget).ApplyT(func(v []any) string {
				got <- [2]string{v[0].(string), v[1].(string)}
				return ""
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if outputs := <-got; outputs != test.want {
			t.Errorf("outputs are %q, want %q", outputs, test.want)
		}
	}
}

// elsewhere is AWS in another partition.
type elsewhere struct {
	*recorder
	partition string
}

func (e elsewhere) Call(call pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answer, err := e.recorder.Call(call)
	if call.Token == "aws:index/getPartition:getPartition" {
		answer["partition"] = resource.NewStringProperty(e.partition)
	}
	return answer, err
}

// TestSiteWhereCloudFrontIs: other partitions have none, or another.
func TestSiteWhereCloudFrontIs(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		for _, given := range []*args{nil, hosted(args{})} {
			mocks := elsewhere{&recorder{resources: map[string]declared{}}, partition}
			err := pulumi.RunErr(func(ctx *pulumi.Context) error {
				_, refused := components.NewStreamingService(ctx, service, withFake(given))
				return refused
			}, pulumi.WithMocks(project, "test", mocks))
			switch want := "site.enabled must be false in partition " + partition; {
			case given == nil || partition == "aws":
				if err != nil {
					t.Errorf("in %s: %v", partition, err)
				}
			case err == nil || !strings.Contains(err.Error(), want):
				t.Errorf("in %s: %v, want %s", partition, err, want)
			}
			if _, made := mocks.resources["svc-site-distribution"]; made && partition != "aws" {
				t.Errorf("in %s there is a distribution", partition)
			}
		}
	}
}
