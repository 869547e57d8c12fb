package provision

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// kinds is the table of all resource types.
func kinds(s Services) map[string]kind {
	table := map[string]kind{}
	for _, part := range []map[string]kind{
		iamKinds(s.IAM),
		tableKinds(s.Tables),
		queueKinds(s.Queues, s.IAM),
		bucketKinds(s.Buckets, s.IAM),
		distributionKinds(s.Distributions),
		lambdaKinds(s.Functions),
		eventKinds(s.Functions),
		restKinds(s),
		webSocketKinds(s),
		cognitoKinds(s.Users),
		operationalKinds(),
	} {
		maps.Copy(table, part)
	}
	return table
}

// operationalKinds are accepted and change nothing on one machine.
func operationalKinds() map[string]kind {
	named := func(arn func(string) string) kind {
		return operational{
			name:    autoname{property: "name", max: 255},
			outputs: func(name string, _ resource.PropertyMap) Outputs { return Outputs{"arn": arn(name)} },
		}
	}
	return map[string]kind{
		"aws:cloudwatch/logGroup:LogGroup":             named(func(n string) string { return awsapi.ARN("logs", "log-group:"+n) }),
		"aws:cloudwatch/metricAlarm:MetricAlarm":       named(func(n string) string { return awsapi.ARN("cloudwatch", "alarm:"+n) }),
		"aws:cloudwatch/compositeAlarm:CompositeAlarm": operational{name: autoname{property: "alarmName", max: 255}},
		"aws:cloudwatch/dashboard:Dashboard": operational{id: "dashboardName", outputs: func(n string, _ resource.PropertyMap) Outputs {
			return Outputs{"dashboardArn": "arn:" + awsapi.Partition + ":cloudwatch::" + awsapi.AccountID + ":dashboard/" + n}
		}},
		"aws:cloudwatch/logMetricFilter:LogMetricFilter":      operational{name: autoname{property: "name", max: 512}},
		"aws:wafv2/webAclAssociation:WebAclAssociation":       operational{replacing: []string{"resourceArn", "webAclArn"}},
		"aws:apigateway/account:Account":                      operational{},
		"aws:apigateway/domainName:DomainName":                operational{id: "domainName", outputs: restDomain},
		"aws:apigateway/basePathMapping:BasePathMapping":      operational{replacing: []string{"domainName"}},
		"aws:apigatewayv2/domainName:DomainName":              operational{id: "domainName", outputs: webSocketDomain},
		"aws:apigatewayv2/apiMapping:ApiMapping":              operational{replacing: []string{"apiId", "domainName"}},
		"aws:route53/record:Record":                           operational{id: "name", replacing: []string{"zoneId"}, outputs: fullName},
		"aws:sns/topicSubscription:TopicSubscription":         operational{},
		"aws:cognito/riskConfiguration:RiskConfiguration":     operational{},
		"aws:cognito/userPoolUICustomization:UICustomization": operational{},
	}
}

// localTarget is what the name of a custom domain would point to. Nothing is
// served there: clients of the local cloud use its own address.
const localTarget = "local.invalid"

func fullName(name string, _ resource.PropertyMap) Outputs { return Outputs{"fqdn": name} }

func restDomain(name string, _ resource.PropertyMap) Outputs {
	return Outputs{"arn": apiGatewayARN("/domainnames/" + name), "regionalDomainName": localTarget, "regionalZoneId": "ZLOCAL"}
}

func webSocketDomain(name string, inputs resource.PropertyMap) Outputs {
	configuration := map[string]any{}
	if declared := inputs["domainNameConfiguration"]; declared.IsObject() {
		configuration = declared.ObjectValue().Mappable()
	}
	configuration["targetDomainName"], configuration["hostedZoneId"] = localTarget, "ZLOCAL"
	return Outputs{"arn": apiGatewayARN("/domainnames/" + name), "domainNameConfiguration": configuration}
}
