package provision

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Invoke answers a function of the AWS provider. An unknown one is an error
// that names it.
func (p *Provider) Invoke(token string, args resource.PropertyMap) (resource.PropertyMap, error) {
	switch token {
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return outputs(Outputs{
			"id": awsapi.AccountID, "accountId": awsapi.AccountID, "userId": "LOCAL",
			"arn": "arn:" + awsapi.Partition + ":iam::" + awsapi.AccountID + ":user/local",
		}), nil
	case "aws:index/getRegion:getRegion":
		if name, ok := args["name"]; ok && name.IsString() && name.StringValue() != awsapi.Region {
			return nil, fmt.Errorf("looking up region %s: the local cloud is %s alone", name.StringValue(), awsapi.Region)
		}
		return outputs(Outputs{
			"id": awsapi.Region, "name": awsapi.Region, "region": awsapi.Region,
			"description": "Local", "endpoint": "ec2." + awsapi.Region + "." + awsapi.DNSSuffix,
		}), nil
	case "aws:index/getPartition:getPartition":
		return outputs(Outputs{
			"id": awsapi.Partition, "partition": awsapi.Partition,
			"dnsSuffix": awsapi.DNSSuffix, "reverseDnsPrefix": "com.amazonaws",
		}), nil
	default:
		return nil, fmt.Errorf("function %s has no counterpart in the local cloud", token)
	}
}

func outputs(values Outputs) resource.PropertyMap { return resource.NewPropertyMapFromMap(values) }
