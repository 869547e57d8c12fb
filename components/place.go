package components

import (
	"errors"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// place is where the service runs, as the provider of the component says.
type place struct {
	partition, region, account, dnsSuffix pulumi.StringOutput
}

func placeOf(ctx *pulumi.Context, svc *StreamingService) place {
	parent := pulumi.Parent(svc)
	partition := aws.GetPartitionOutput(ctx, aws.GetPartitionOutputArgs{}, parent)
	return place{
		partition: partition.Partition(),
		dnsSuffix: partition.DnsSuffix(),
		region:    aws.GetRegionOutput(ctx, aws.GetRegionOutputArgs{}, parent).Name(),
		account:   aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, parent).AccountId(),
	}
}

// arn builds the ARN of a resource of this account and Region.
func (p place) arn(service string, resource pulumi.StringInput) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:%s:%s:%s:%s", p.partition, service, p.region, p.account, resource)
}

// here is the id of a user pool, which begins with its Region: the functions
// and the authorizers look for the pool in that of the service.
func (p place) here(path string, poolID pulumi.StringInput) pulumi.StringOutput {
	return pulumi.All(poolID, p.region).ApplyT(func(v []any) (string, error) {
		id, region := v[0].(string), v[1].(string)
		if !strings.HasPrefix(id, region+"_") {
			return "", errors.New(problem{path, "must be a user pool of the service's Region " + region, id}.String())
		}
		return id, nil
	}).(pulumi.StringOutput)
}

// issuer is the issuer of the tokens of a user pool, without https://.
func (p place) issuer(poolID pulumi.StringInput) pulumi.StringOutput {
	return pulumi.Sprintf("cognito-idp.%s.%s/%s", p.region, p.dnsSuffix, poolID)
}

// api is the host name of an API of API Gateway.
func (p place) api(id pulumi.StringInput) pulumi.StringOutput {
	return pulumi.Sprintf("%s.%s", id, p.endpoint("execute-api"))
}

// withCloudFront is text where CloudFront can host the page: GovCloud has none,
// and in China it takes no certificate of ACM and no name but registered ones.
func (p place) withCloudFront(text pulumi.StringInput) pulumi.StringOutput {
	return pulumi.All(text, p.partition).ApplyT(func(v []any) (string, error) {
		if partition := v[1].(string); partition != "aws" {
			rule := "must be false in partition " + partition + ": the page is hosted by CloudFront as partition aws has it; cmd/page makes the page for any other host"
			return "", errors.New(problem{"site.enabled", rule, true}.String())
		}
		return v[0].(string), nil
	}).(pulumi.StringOutput)
}

// endpoint is the host name of a service in this Region, as kms:ViaService has
// it.
func (p place) endpoint(service string) pulumi.StringOutput {
	return pulumi.Sprintf("%s.%s.%s", service, p.region, p.dnsSuffix)
}
