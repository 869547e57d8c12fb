package provision

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
)

// iamKinds are the roles and their policies.
func iamKinds(s *iam.Service) map[string]kind {
	return map[string]kind{
		"aws:iam/role:Role":                                 roleKind(s),
		"aws:iam/rolePolicy:RolePolicy":                     rolePolicyKind(s),
		"aws:iam/rolePolicyAttachment:RolePolicyAttachment": rolePolicyAttachmentKind(s),
	}
}

// policyText is a policy document, given as JSON text or as an object.
type policyText string

// UnmarshalJSON implements json.Unmarshaler.
func (p *policyText) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*p = policyText(text)
		return nil
	}
	*p = policyText(data)
	return nil
}

type roleInputs struct {
	Name              string     `json:"name" change:"replace"`
	AssumeRolePolicy  policyText `json:"assumeRolePolicy"`
	ManagedPolicyARNs []string   `json:"managedPolicyArns"`
	InlinePolicies    []struct {
		Name   string     `json:"name"`
		Policy policyText `json:"policy"`
	} `json:"inlinePolicies"`
	Description         noEffect `json:"description"`
	ForceDetachPolicies noEffect `json:"forceDetachPolicies"`
	MaxSessionDuration  noEffect `json:"maxSessionDuration"`
	Path                noEffect `json:"path" change:"replace"`
	Tags                noEffect `json:"tags"`
}

func roleKind(s *iam.Service) kind {
	putPolicies := func(old, in roleInputs) error {
		for _, policy := range old.InlinePolicies {
			if err := s.DeleteRolePolicy(in.Name, policy.Name); err != nil {
				return err
			}
		}
		for _, arn := range old.ManagedPolicyARNs {
			if err := s.DetachRolePolicy(in.Name, arn); err != nil {
				return err
			}
		}
		for _, policy := range in.InlinePolicies {
			if err := s.PutRolePolicy(in.Name, policy.Name, string(policy.Policy)); err != nil {
				return err
			}
		}
		for _, arn := range in.ManagedPolicyARNs {
			if err := s.AttachRolePolicy(in.Name, arn); err != nil {
				return err
			}
		}
		return nil
	}
	return newKind(realised[roleInputs]{
		name: autoname{property: "name", max: 64},
		onCreate: func(_ context.Context, _ Resource, in roleInputs) (string, Outputs, error) {
			arn, err := s.CreateRole(in.Name, string(in.AssumeRolePolicy))
			if err != nil {
				return "", nil, err
			}
			if err := putPolicies(roleInputs{}, in); err != nil {
				s.DeleteRole(in.Name)
				return "", nil, err
			}
			return in.Name, Outputs{"arn": arn, "uniqueId": "AROALOCAL" + in.Name, "createDate": now(), "path": "/", "maxSessionDuration": 3600}, nil
		},
		onUpdate: func(_ context.Context, _ string, old, in roleInputs) (Outputs, error) {
			if err := s.UpdateTrustPolicy(in.Name, string(in.AssumeRolePolicy)); err != nil {
				return nil, err
			}
			return nil, putPolicies(old, in)
		},
		onDelete: func(_ context.Context, id string, _ roleInputs) error {
			s.DeleteRole(id)
			return nil
		},
	})
}

type rolePolicyInputs struct {
	Name   string     `json:"name" change:"replace"`
	Role   string     `json:"role" change:"replace"`
	Policy policyText `json:"policy"`
}

func rolePolicyKind(s *iam.Service) kind {
	return newKind(realised[rolePolicyInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, _ Resource, in rolePolicyInputs) (string, Outputs, error) {
			return in.Role + ":" + in.Name, nil, s.PutRolePolicy(in.Role, in.Name, string(in.Policy))
		},
		onUpdate: func(_ context.Context, _ string, _, in rolePolicyInputs) (Outputs, error) {
			return nil, s.PutRolePolicy(in.Role, in.Name, string(in.Policy))
		},
		onDelete: func(_ context.Context, _ string, in rolePolicyInputs) error {
			return s.DeleteRolePolicy(in.Role, in.Name)
		},
	})
}

type rolePolicyAttachmentInputs struct {
	Role      string `json:"role"`
	PolicyARN string `json:"policyArn"`
}

func rolePolicyAttachmentKind(s *iam.Service) kind {
	return newKind(realised[rolePolicyAttachmentInputs]{
		onCreate: func(_ context.Context, _ Resource, in rolePolicyAttachmentInputs) (string, Outputs, error) {
			if err := s.AttachRolePolicy(in.Role, in.PolicyARN); err != nil {
				return "", nil, err
			}
			return fmt.Sprintf("%s-%s", in.Role, in.PolicyARN), nil, nil
		},
		onDelete: func(_ context.Context, _ string, in rolePolicyAttachmentInputs) error {
			return s.DetachRolePolicy(in.Role, in.PolicyARN)
		},
	})
}
