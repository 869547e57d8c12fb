package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/awsprovider"
)

// ProviderVersion is the version of pulumi-aws that the component is written
// for. Resources registered by their type token name it as the SDK does for its
// own; otherwise the engine may pick another version.
const ProviderVersion = awsprovider.Version

// newUntyped registers a resource of a service whose Go package is too large
// to compile for it: wafv2 alone takes minutes and gigabytes.
func (b *build) newUntyped(token, role string, inputs pulumi.Map, more ...pulumi.ResourceOption) error {
	var resource pulumi.CustomResourceState
	options := b.options(append(more, pulumi.Version(ProviderVersion))...)
	err := b.ctx.RegisterResource(token, b.child(role), inputs, &resource, options...)
	if err != nil {
		return fmt.Errorf("creating %s: %w", role, err)
	}
	return nil
}

// newFirewall puts the web ACL, if there is one, before the REST API.
// WebSocket APIs take none. A stage has one web ACL: were another put there
// before the old association is deleted, that deletion would take it away.
func (b *build) newFirewall() error {
	if b.args.Protection.WebAclArn == nil {
		return nil
	}
	return b.newUntyped("aws:wafv2/webAclAssociation:WebAclAssociation", "web-acl-association", pulumi.Map{
		"resourceArn": b.rest.stage.Arn,
		"webAclArn":   required(b.args.Protection.WebAclArn),
	}, pulumi.DeleteBeforeReplace(true))
}
