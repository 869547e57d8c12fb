package provision_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/streaming-service/streaming-service/internal/awsprovider"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// dial serves a provider and returns a client of it.
func dial(t *testing.T, p *provision.Provider) pulumirpc.ResourceProviderClient {
	t.Helper()
	address, stop, err := provision.Serve(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn)
}

func wire(t *testing.T, properties resource.PropertyMap) *structpb.Struct {
	t.Helper()
	encoded, err := plugin.MarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func unwire(t *testing.T, encoded *structpb.Struct) resource.PropertyMap {
	t.Helper()
	properties, err := plugin.UnmarshalProperties(encoded, plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		t.Fatal(err)
	}
	return properties
}

func queueURN(name string) string { return "urn:pulumi:dev::p::" + tokenQueue + "::" + name }

func TestServerLife(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	ctx, urn := t.Context(), queueURN("jobs")

	checked, err := client.Check(ctx, &pulumirpc.CheckRequest{Urn: urn, RandomSeed: []byte("seed"), News: wire(t, properties(map[string]any{"delaySeconds": 1}))})
	if err != nil {
		t.Fatal(err)
	}
	inputs := unwire(t, checked.GetInputs())
	name := inputs["name"].StringValue()
	if !strings.HasPrefix(name, "jobs-") {
		t.Fatalf("checked name %q", name)
	}

	previewed, err := client.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs(), Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, known := unwire(t, previewed.GetProperties())["arn"]; known || previewed.GetId() != "" {
		t.Errorf("a preview gave %v", previewed)
	}

	created, err := client.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	if err != nil {
		t.Fatal(err)
	}

	// The next update gives another seed; the resource keeps its name.
	again, err := client.Check(ctx, &pulumirpc.CheckRequest{
		Urn: urn, RandomSeed: []byte("other"), Olds: checked.GetInputs(), News: wire(t, properties(map[string]any{"delaySeconds": 2})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := unwire(t, again.GetInputs())["name"].StringValue(); got != name {
		t.Errorf("the second check gave the name %q, want %q", got, name)
	}

	diff, err := client.Diff(ctx, &pulumirpc.DiffRequest{Id: created.GetId(), Urn: urn, OldInputs: checked.GetInputs(), News: again.GetInputs()})
	if err != nil {
		t.Fatal(err)
	}
	if diff.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME || strings.Join(diff.GetDiffs(), ",") != "delaySeconds" || len(diff.GetReplaces()) > 0 {
		t.Errorf("diff %v", diff)
	}

	updated, err := client.Update(ctx, &pulumirpc.UpdateRequest{
		Id: created.GetId(), Urn: urn, Olds: created.GetProperties(), OldInputs: checked.GetInputs(), News: again.GetInputs(),
	})
	if err != nil {
		t.Fatal(err)
	}

	read, err := client.Read(ctx, &pulumirpc.ReadRequest{Id: created.GetId(), Urn: urn, Inputs: again.GetInputs(), Properties: created.GetProperties()})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := unwire(t, read.GetProperties()), unwire(t, updated.GetProperties()); !got.DeepEquals(want) {
		t.Errorf("read %v, want no drift from %v", got, want)
	}

	if _, err := client.Delete(ctx, &pulumirpc.DeleteRequest{Id: created.GetId(), Urn: urn, OldInputs: again.GetInputs()}); err != nil {
		t.Fatal(err)
	}
	gone, err := client.Read(ctx, &pulumirpc.ReadRequest{Id: created.GetId(), Urn: urn})
	if err != nil {
		t.Fatal(err)
	}
	if gone.GetId() != "" {
		t.Errorf("a deleted resource is read as %v", gone)
	}
}

// TestServerReadsTheStateOfAnArchive updates and deletes a function whose old
// inputs hold, as the state of an engine does, the hash of its code alone.
func TestServerReadsTheStateOfAnArchive(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	role, err := services.IAM.CreateRole("role", trustLambda)
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, provision.New(services))
	urn := "urn:pulumi:dev::p::aws:lambda/function:Function::f"
	inputs := properties(map[string]any{"name": "f", "role": role, "runtime": "provided.al2023", "packageType": "Zip"})
	code, err := archive.FromPath(functionZip(t))
	if err != nil {
		t.Fatal(err)
	}
	inputs["code"] = resource.NewArchiveProperty(code)
	created, err := client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: wire(t, inputs)})
	if err != nil {
		t.Fatal(err)
	}
	old := inputs.Copy()
	old["code"] = resource.NewArchiveProperty(&archive.Archive{Sig: sig.ArchiveSig, Hash: code.Hash})

	diff, err := client.Diff(t.Context(), &pulumirpc.DiffRequest{Id: created.GetId(), Urn: urn, OldInputs: wire(t, old), News: wire(t, inputs)})
	if err != nil {
		t.Fatal(err)
	}
	if diff.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same code differs: %v", diff)
	}
	inputs["timeout"] = resource.NewNumberProperty(9)
	if _, err := client.Update(t.Context(), &pulumirpc.UpdateRequest{Id: created.GetId(), Urn: urn, Olds: created.GetProperties(), OldInputs: wire(t, old), News: wire(t, inputs)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: created.GetId(), Urn: urn, OldInputs: wire(t, old)}); err != nil {
		t.Fatal(err)
	}
	if left := services.Functions.Functions(); len(left) > 0 {
		t.Errorf("functions %v are left", left)
	}
}

func TestServerDiff(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	for _, test := range []struct {
		name     string
		old, new resource.PropertyMap
		ignore   []string
		changes  pulumirpc.DiffResponse_DiffChanges
		replaces string
		first    bool // delete before replace
	}{
		{"nothing", tableInputs(nil), tableInputs(nil), nil, pulumirpc.DiffResponse_DIFF_NONE, "", false},
		{"ignored", tableInputs(map[string]any{"tags": map[string]any{"a": "b"}}), tableInputs(nil), []string{"tags"}, pulumirpc.DiffResponse_DIFF_NONE, "", false},
		{"another name", tableInputs(map[string]any{"name": "a"}), tableInputs(map[string]any{"name": "b"}), nil, pulumirpc.DiffResponse_DIFF_SOME, "name", false},
		{"another key under one name", tableInputs(map[string]any{"name": "a"}), tableInputs(map[string]any{"name": "a", "hashKey": "id"}), nil, pulumirpc.DiffResponse_DIFF_SOME, "hashKey", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			diff, err := client.Diff(t.Context(), &pulumirpc.DiffRequest{
				Id: "x", Urn: "urn:pulumi:dev::p::" + tokenTable + "::t", OldInputs: wire(t, test.old), News: wire(t, test.new), IgnoreChanges: test.ignore,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff.GetChanges() != test.changes || strings.Join(diff.GetReplaces(), ",") != test.replaces || diff.GetDeleteBeforeReplace() != test.first {
				t.Errorf("got %v", diff)
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	checked, err := client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: queueURN("q"), News: wire(t, properties(map[string]any{"colour": "red"}))})
	if err != nil {
		t.Fatal(err)
	}
	if failures := checked.GetFailures(); len(failures) != 1 || !strings.Contains(failures[0].GetReason(), `property "colour"`) {
		t.Errorf("failures %v, want one that names the property", failures)
	}
	if _, err := client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"}); err == nil || !strings.Contains(err.Error(), "aws:ec2/getAmi:getAmi") {
		t.Errorf("got error %v, want one that names the function", err)
	}
}

func TestServerChecksPreviewsWithUnknowns(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	inputs := resource.PropertyMap{"role": resource.MakeComputed(resource.NewStringProperty("")), "policy": resource.NewStringProperty("{}")}
	checked, err := client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: "urn:pulumi:dev::p::aws:iam/rolePolicy:RolePolicy::p", News: wire(t, inputs)})
	if err != nil {
		t.Fatal(err)
	}
	if len(checked.GetFailures()) > 0 || !unwire(t, checked.GetInputs())["role"].IsComputed() {
		t.Errorf("got %v, want the unknown role", checked)
	}
}

func TestServerInvokes(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	for token, want := range map[string][2]string{
		"aws:index/getRegion:getRegion":                 {"name", "us-east-1"},
		"aws:index/getPartition:getPartition":           {"dnsSuffix", "amazonaws.com"},
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId", "000000000000"},
	} {
		result, err := client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: token})
		if err != nil {
			t.Fatal(err)
		}
		if got := unwire(t, result.GetReturn())[resource.PropertyKey(want[0])]; !got.IsString() || got.StringValue() != want[1] {
			t.Errorf("%s: %s is %v, want %s", token, want[0], got, want[1])
		}
	}
	info, err := client.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.GetVersion() != awsprovider.Version {
		t.Errorf("plugin info %v, %v", info, err)
	}
}

// TestServerKeepsNestedOutputs is a regression: an update lost what an object
// has beyond its inputs, and with it the target of a custom domain.
func TestServerKeepsNestedOutputs(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	urn := "urn:pulumi:dev::p::aws:apigatewayv2/domainName:DomainName::d"
	inputs := func(certificate string) *structpb.Struct {
		return wire(t, properties(map[string]any{
			"domainName": "stream.example.com", "domainNameConfiguration": map[string]any{"certificateArn": certificate},
		}))
	}
	created, err := client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs("first")})
	if err != nil {
		t.Fatal(err)
	}
	for _, preview := range []bool{true, false} {
		updated, err := client.Update(t.Context(), &pulumirpc.UpdateRequest{
			Id: created.GetId(), Urn: urn, Olds: created.GetProperties(), OldInputs: inputs("first"), News: inputs("second"), Preview: preview,
		})
		if err != nil {
			t.Fatal(err)
		}
		configuration := unwire(t, updated.GetProperties())["domainNameConfiguration"].ObjectValue()
		if configuration["targetDomainName"].V != "local.invalid" || configuration["certificateArn"].V != "second" {
			t.Errorf("preview %v: got %v", preview, configuration)
		}
	}
}

// TestServerReplacesUnderAnotherID is a regression: deleting what a
// replacement replaced deleted the replacement with it.
func TestServerReplacesUnderAnotherID(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	urn := "urn:pulumi:dev::p::aws:wafv2/webAclAssociation:WebAclAssociation::a"
	inputs := func(acl string) *structpb.Struct {
		return wire(t, properties(map[string]any{"resourceArn": "stage", "webAclArn": acl}))
	}
	diff, err := client.Diff(t.Context(), &pulumirpc.DiffRequest{Id: "x", Urn: urn, OldInputs: inputs("first"), News: inputs("second")})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(diff.GetReplaces(), ","); got != "webAclArn" {
		t.Errorf("replaces %q, want webAclArn", got)
	}
	var ids []string
	for _, acl := range []string{"first", "second"} {
		created, err := client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs(acl)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, created.GetId())
	}
	if _, err := client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: ids[0], Urn: urn, OldInputs: inputs("first")}); err != nil {
		t.Fatal(err)
	}
	left, err := client.Read(t.Context(), &pulumirpc.ReadRequest{Id: ids[1], Urn: urn})
	if err != nil {
		t.Fatal(err)
	}
	if left.GetId() != ids[1] {
		t.Errorf("the replacement is read as %v", left)
	}
}

// TestServerNamesReplacementsAnew checks that what the provider has named may
// stand beside its replacement, and that a name of the program's may not.
func TestServerNamesReplacementsAnew(t *testing.T) {
	t.Parallel()
	client := dial(t, provision.New(newServices(t)))
	urn := "urn:pulumi:dev::p::" + tokenTable + "::t"
	check := func(news resource.PropertyMap) *structpb.Struct {
		checked, err := client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, RandomSeed: []byte("seed"), News: wire(t, news)})
		if err != nil || len(checked.GetFailures()) > 0 {
			t.Fatal(checked, err)
		}
		return checked.GetInputs()
	}
	for name, given := range map[string]bool{"": false, "mine": true} {
		old, changed := tableInputs(nil), tableInputs(map[string]any{"hashKey": "sk", "rangeKey": "pk"})
		if given {
			old["name"], changed["name"] = resource.NewProperty(name), resource.NewProperty(name)
		}
		diff, err := client.Diff(t.Context(), &pulumirpc.DiffRequest{Id: "x", Urn: urn, OldInputs: check(old), News: check(changed)})
		if err != nil {
			t.Fatal(err)
		}
		if len(diff.GetReplaces()) == 0 || diff.GetDeleteBeforeReplace() != given {
			t.Errorf("name %q: got %v, want a replacement that is deleted first: %v", name, diff, given)
		}
	}
}
