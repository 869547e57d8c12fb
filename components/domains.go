package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// domains are where clients find the APIs, and what custom names point to.
type domains struct {
	restURL, webSocketURL, restTarget, webSocketTarget pulumi.StringOutput
}

func (b *build) newDomains() error {
	b.domains = domains{
		restURL:         withoutSlash(b.rest.stage.InvokeUrl),
		webSocketURL:    withoutSlash(b.webSocket.stage.InvokeUrl),
		restTarget:      pulumi.String("").ToStringOutput(),
		webSocketTarget: pulumi.String("").ToStringOutput(),
	}
	if name := b.args.Domain.Rest; name != nil {
		if err := b.newRestDomain(required(name)); err != nil {
			return err
		}
	}
	if name := b.args.Domain.WebSocket; name != nil {
		return b.newWebSocketDomain(required(name))
	}
	return nil
}

func (b *build) newRestDomain(name pulumi.StringInput) error {
	domain, err := apigateway.NewDomainName(b.ctx, b.child("rest-domain"), &apigateway.DomainNameArgs{
		DomainName:             name,
		RegionalCertificateArn: b.args.Domain.CertificateArn,
		SecurityPolicy:         pulumi.String("TLS_1_2"),
		EndpointConfiguration:  &apigateway.DomainNameEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                   b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating domain of the REST API: %w", err)
	}
	mapping, err := apigateway.NewBasePathMapping(b.ctx, b.child("rest-domain-mapping"), &apigateway.BasePathMappingArgs{
		DomainName: domain.DomainName,
		RestApi:    b.rest.api.ID(),
		StageName:  b.rest.stage.StageName,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("mapping domain of the REST API: %w", err)
	}
	b.domains.restURL = urlOf("https", domain.DomainName, mapping.ID())
	b.domains.restTarget = domain.RegionalDomainName
	return b.newAlias("rest-domain-record", name, domain.RegionalDomainName, domain.RegionalZoneId)
}

func (b *build) newWebSocketDomain(name pulumi.StringInput) error {
	domain, err := apigatewayv2.NewDomainName(b.ctx, b.child("websocket-domain"), &apigatewayv2.DomainNameArgs{
		DomainName: name,
		DomainNameConfiguration: &apigatewayv2.DomainNameDomainNameConfigurationArgs{
			CertificateArn: required(b.args.Domain.CertificateArn),
			EndpointType:   pulumi.String("REGIONAL"),
			SecurityPolicy: pulumi.String("TLS_1_2"),
		},
		Tags: b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating domain of the WebSocket API: %w", err)
	}
	mapping, err := apigatewayv2.NewApiMapping(b.ctx, b.child("websocket-domain-mapping"), &apigatewayv2.ApiMappingArgs{
		ApiId:      b.webSocket.api.ID(),
		DomainName: domain.DomainName,
		Stage:      b.webSocket.stage.Name,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("mapping domain of the WebSocket API: %w", err)
	}
	target := domain.DomainNameConfiguration.TargetDomainName().Elem()
	b.domains.webSocketURL = urlOf("wss", domain.DomainName, mapping.ID())
	b.domains.webSocketTarget = target
	return b.newAlias("websocket-domain-record", name, target, domain.DomainNameConfiguration.HostedZoneId().Elem())
}

// newAlias points a name to an API in the hosted zone, if there is one.
func (b *build) newAlias(role string, name, target, targetZone pulumi.StringInput) error {
	if b.args.Domain.HostedZoneId == nil {
		return nil
	}
	return b.newUntyped("aws:route53/record:Record", role, pulumi.Map{
		"zoneId": required(b.args.Domain.HostedZoneId),
		"name":   name,
		"type":   pulumi.String("A"),
		"aliases": pulumi.Array{pulumi.Map{
			"name": target, "zoneId": targetZone, "evaluateTargetHealth": pulumi.Bool(false),
		}},
	})
}

// urlOf is the URL of a domain once its mapping exists.
func urlOf(scheme string, host, mapping pulumi.StringInput) pulumi.StringOutput {
	return pulumi.All(host, mapping).ApplyT(func(v []any) string { return scheme + "://" + v[0].(string) }).(pulumi.StringOutput)
}

func withoutSlash(url pulumi.StringOutput) pulumi.StringOutput {
	return url.ApplyT(func(url string) string { return strings.TrimSuffix(url, "/") }).(pulumi.StringOutput)
}
