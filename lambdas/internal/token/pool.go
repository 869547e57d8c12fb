package token

import (
	"strings"
)

// Variables of the environment that say where Cognito is. The Lambda runtime
// sets the Region; the endpoint overrides are those of the AWS SDKs and exist
// outside AWS only.
const (
	envRegion          = "AWS_REGION"
	envEndpoint        = "AWS_ENDPOINT_URL"
	envCognitoEndpoint = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
)

// Pool returns the issuer of a user pool's tokens and the URL of its keys. The
// keys are fetched from an overridden endpoint; the issuer never changes.
func Pool(getenv func(string) string, poolID string) (issuer, keysURL string) {
	region := getenv(envRegion)
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	endpoint := "https://cognito-idp." + region + "." + suffix
	issuer = endpoint + "/" + poolID
	for _, override := range []string{envEndpoint, envCognitoEndpoint} {
		if url := getenv(override); url != "" {
			endpoint = strings.TrimRight(url, "/")
		}
	}
	return issuer, endpoint + "/" + poolID + "/.well-known/jwks.json"
}
