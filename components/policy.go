package components

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// statement is one statement of an IAM policy.
type statement struct {
	Effect    string                         `json:"Effect"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource,omitempty"`
	Principal map[string]string              `json:"Principal,omitempty"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

// grant resolves to statements. They are Outputs because they name resources
// that do not exist yet.
type grant = pulumi.Output

// allow grants actions on resources, exactly.
func allow(actions []string, resources ...pulumi.StringInput) grant {
	return pulumi.StringArray(resources).ToStringArrayOutput().ApplyT(func(arns []string) []statement {
		return []statement{{Effect: "Allow", Action: actions, Resource: arns}}
	})
}

// denyPlainHTTP refuses every use of what a service keeps under the ARNs by
// everybody but over TLS.
func denyPlainHTTP(service string, arns ...pulumi.StringInput) grant {
	return pulumi.StringArray(arns).ToStringArrayOutput().ApplyT(func(arns []string) []statement {
		return []statement{{
			Effect: "Deny", Action: []string{service + ":*"}, Resource: arns, Principal: map[string]string{"AWS": "*"},
			Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
		}}
	})
}

// policy is the document that holds the statements of all grants.
func policy(grants ...grant) pulumi.StringOutput {
	inputs := make([]any, len(grants))
	for i, g := range grants {
		inputs[i] = g
	}
	return pulumi.All(inputs...).ApplyT(func(resolved []any) (string, error) {
		var statements []statement
		for _, r := range resolved {
			statements = append(statements, r.([]statement)...)
		}
		return document(statements...)
	}).(pulumi.StringOutput)
}

func document(statements ...statement) (string, error) {
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	if err != nil {
		return "", fmt.Errorf("encoding policy: %w", err)
	}
	return string(text), nil
}

// trustService is the trust policy of a role that an AWS service assumes.
func trustService(service string) pulumi.StringOutput {
	return policy(pulumi.ToOutput([]statement{{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]string{"Service": service},
	}}))
}

// trustIdentities is the trust policy of a role for the signed-in identities
// of one identity pool.
func (b *build) trustIdentities(identityPoolID pulumi.StringInput) pulumi.StringOutput {
	return policy(identityPoolID.ToStringOutput().ApplyT(func(id string) []statement {
		return []statement{{
			Effect:    "Allow",
			Action:    []string{"sts:AssumeRoleWithWebIdentity"},
			Principal: map[string]string{"Federated": "cognito-identity.amazonaws.com"},
			Condition: map[string]map[string][]string{
				"StringEquals":           {"cognito-identity.amazonaws.com:aud": {id}},
				"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": {"authenticated"}},
			},
		}}
	}))
}
