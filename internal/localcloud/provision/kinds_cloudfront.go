package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
)

// distributionKinds are the distributions and what they refer to.
func distributionKinds(s *cloudfront.Service) map[string]kind {
	return map[string]kind{
		"aws:cloudfront/originAccessControl:OriginAccessControl":     accessControlKind(s),
		"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": headersPolicyKind(s),
		"aws:cloudfront/distribution:Distribution":                   distributionKind(s),
	}
}

type accessControlInputs struct {
	Name            string   `json:"name"`
	Description     noEffect `json:"description"`
	OriginType      string   `json:"originAccessControlOriginType"`
	SigningBehavior string   `json:"signingBehavior"`
	SigningProtocol string   `json:"signingProtocol"`
}

func accessControlKind(s *cloudfront.Service) kind {
	put := func(id string, in accessControlInputs) (string, Outputs, error) {
		c, err := s.PutOriginAccessControl(cloudfront.OriginAccessControl{
			ID: id, Name: in.Name, OriginType: in.OriginType, SigningBehavior: in.SigningBehavior, SigningProtocol: in.SigningProtocol,
		})
		return c.ID, Outputs{"arn": cloudfront.ARN("origin-access-control/" + c.ID), "etag": c.ETag}, err
	}
	return newKind(realised[accessControlInputs]{
		name:     autoname{property: "name", max: 64},
		defaults: resource.PropertyMap{"description": resource.NewStringProperty("Managed by Pulumi")},
		onCreate: func(_ context.Context, r Resource, in accessControlInputs) (string, Outputs, error) {
			return put(r.stableCloudFrontID(), in)
		},
		onUpdate: func(_ context.Context, id string, _, in accessControlInputs) (Outputs, error) {
			_, outputs, err := put(id, in)
			return outputs, err
		},
		onDelete: func(_ context.Context, id string, _ accessControlInputs) error {
			return s.DeleteOriginAccessControl(id)
		},
	})
}

type distributionInputs struct {
	Enabled              bool                `json:"enabled"`
	Comment              string              `json:"comment"`
	Aliases              []string            `json:"aliases"`
	DefaultRootObject    string              `json:"defaultRootObject"`
	HTTPVersion          string              `json:"httpVersion"`
	Origins              []originInputs      `json:"origins"`
	DefaultCacheBehavior cacheBehaviorInputs `json:"defaultCacheBehavior"`
	ViewerCertificate    struct {
		Default        bool   `json:"cloudfrontDefaultCertificate"`
		ACMARN         string `json:"acmCertificateArn"`
		SupportMethod  string `json:"sslSupportMethod"`
		MinimumVersion string `json:"minimumProtocolVersion"`
	} `json:"viewerCertificate"`
	CustomErrorResponses []struct {
		ErrorCode    int      `json:"errorCode"`
		ResponseCode int      `json:"responseCode"`
		PagePath     string   `json:"responsePagePath"`
		MinTTL       noEffect `json:"errorCachingMinTtl"`
	} `json:"customErrorResponses"`
	Restrictions struct {
		Geo struct {
			Type restrictionType `json:"restrictionType"`
		} `json:"geoRestriction"`
	} `json:"restrictions"`
	IsIPv6Enabled     noEffect `json:"isIpv6Enabled"`
	LoggingConfig     noEffect `json:"loggingConfig"`
	PriceClass        noEffect `json:"priceClass"`
	RetainOnDelete    noEffect `json:"retainOnDelete"`
	Tags              noEffect `json:"tags"`
	WaitForDeployment noEffect `json:"waitForDeployment"`
	WebACLID          noEffect `json:"webAclId"`
}

type originInputs struct {
	OriginID              string   `json:"originId"`
	DomainName            string   `json:"domainName"`
	OriginPath            string   `json:"originPath"`
	OriginAccessControlID string   `json:"originAccessControlId"`
	ConnectionAttempts    noEffect `json:"connectionAttempts"`
	ConnectionTimeout     noEffect `json:"connectionTimeout"`
	OriginShield          noEffect `json:"originShield"`
}

type cacheBehaviorInputs struct {
	TargetOriginID          string   `json:"targetOriginId"`
	ViewerProtocolPolicy    string   `json:"viewerProtocolPolicy"`
	AllowedMethods          []string `json:"allowedMethods"`
	CachedMethods           []string `json:"cachedMethods"`
	CachePolicyID           string   `json:"cachePolicyId"`
	ResponseHeadersPolicyID string   `json:"responseHeadersPolicyId"`
	Compress                bool     `json:"compress"`
}

func (in distributionInputs) distribution(id, resource string) cloudfront.Distribution {
	d := cloudfront.Distribution{
		ID: id, Resource: resource, Enabled: in.Enabled, Comment: in.Comment, Aliases: in.Aliases,
		DefaultRootObject: in.DefaultRootObject, HTTPVersion: in.HTTPVersion,
		Behavior: cloudfront.Behavior(in.DefaultCacheBehavior), Certificate: cloudfront.ViewerCertificate(in.ViewerCertificate),
	}
	for _, o := range in.Origins {
		d.Origins = append(d.Origins, cloudfront.Origin{ID: o.OriginID, DomainName: o.DomainName, Path: o.OriginPath, AccessControlID: o.OriginAccessControlID})
	}
	for _, e := range in.CustomErrorResponses {
		d.Errors = append(d.Errors, cloudfront.CustomErrorResponse{ErrorCode: e.ErrorCode, ResponseCode: e.ResponseCode, PagePath: e.PagePath})
	}
	return d
}

func distributionKind(s *cloudfront.Service) kind {
	put := func(id, name string, in distributionInputs) (string, Outputs, error) {
		d, err := s.PutDistribution(in.distribution(id, name))
		return d.ID, Outputs{
			"arn":              cloudfront.ARN("distribution/" + d.ID),
			"domainName":       d.DomainName,
			"hostedZoneId":     cloudfront.HostedZoneID,
			"etag":             d.ETag,
			"status":           "Deployed",
			"lastModifiedTime": now(),
		}, err
	}
	return newKind(realised[distributionInputs]{
		onCreate: func(_ context.Context, r Resource, in distributionInputs) (string, Outputs, error) {
			id, outputs, err := put(r.stableCloudFrontID(), r.Name, in)
			outputs["callerReference"] = "terraform-" + id // the provider's choice
			return id, outputs, err
		},
		onUpdate: func(_ context.Context, id string, _, in distributionInputs) (Outputs, error) {
			_, outputs, err := put(id, s.ResourceOf(id), in)
			return outputs, err
		},
		// The provider disables a distribution before it deletes it.
		onDelete: func(_ context.Context, id string, _ distributionInputs) error {
			s.DisableDistribution(id)
			return s.DeleteDistribution(id)
		},
	})
}

// stableCloudFrontID is stableID in the form of CloudFront's ids.
func (r Resource) stableCloudFrontID() string {
	if id := r.stableID(13); id != "" {
		return "E" + strings.ToUpper(id)
	}
	return ""
}

// restrictionType is none: a viewer on this machine is in no country.
type restrictionType struct{}

// UnmarshalJSON refuses a restriction.
func (*restrictionType) UnmarshalJSON(text []byte) error {
	if string(text) != `"none"` {
		return fmt.Errorf("restrictionType must be none in the local cloud, got %s", text)
	}
	return nil
}
