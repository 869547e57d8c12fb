package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// gatewayOrigin is the Access-Control-Allow-Origin of the errors that API
// Gateway itself answers. It can only be a literal or a copy of something in
// the request, not a choice from a list. One allowed origin is named. With
// several, any page may read these errors, as it may without a list: they say
// nothing but a status and fixed words, and without the header the pages of
// the service could not tell an expired token from a broken network. Answers
// of the functions name the caller's origin, and only if it is allowed.
func gatewayOrigin(allowed pulumi.StringArrayInput) pulumi.StringInput {
	if v, known := plain(allowed); known {
		origins, _ := v.([]string)
		return pulumi.String(onlyOrAny(origins))
	}
	return allowed.ToStringArrayOutput().ApplyT(onlyOrAny).(pulumi.StringOutput)
}

func onlyOrAny(origins []string) string {
	if len(origins) == 1 {
		return origins[0]
	}
	return "*"
}
