package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

// UserPool is the type token of a user pool.
const UserPool = "aws:cognito/userPool:UserPool"

// cognitoKinds are the user pools and identity pools.
func cognitoKinds(s *cognito.Service) map[string]kind {
	return map[string]kind{
		UserPool: userPoolKind(s),
		"aws:cognito/userPoolClient:UserPoolClient":                         userPoolClientKind(s),
		"aws:cognito/userGroup:UserGroup":                                   userGroupKind(s),
		"aws:cognito/identityPool:IdentityPool":                             identityPoolKind(s),
		"aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": identityPoolRolesKind(s),
	}
}

type userPoolInputs struct {
	Name                  string   `json:"name"`
	UsernameAttributes    []string `json:"usernameAttributes" change:"replace"`
	UsernameConfiguration *struct {
		CaseSensitive bool `json:"caseSensitive"`
	} `json:"usernameConfiguration" change:"replace"`
	AutoVerifiedAttributes []string `json:"autoVerifiedAttributes"`
	PasswordPolicy         *struct {
		MinimumLength                 int      `json:"minimumLength"`
		RequireLowercase              bool     `json:"requireLowercase"`
		RequireUppercase              bool     `json:"requireUppercase"`
		RequireNumbers                bool     `json:"requireNumbers"`
		RequireSymbols                bool     `json:"requireSymbols"`
		TemporaryPasswordValidityDays int      `json:"temporaryPasswordValidityDays"`
		PasswordHistorySize           noEffect `json:"passwordHistorySize"`
	} `json:"passwordPolicy"`
	AdminCreateUserConfig struct {
		AllowAdminCreateUserOnly bool     `json:"allowAdminCreateUserOnly"`
		InviteMessageTemplate    noEffect `json:"inviteMessageTemplate"`
	} `json:"adminCreateUserConfig"`
	MFAConfiguration              string `json:"mfaConfiguration"`
	SoftwareTokenMFAConfiguration struct {
		Enabled bool `json:"enabled"`
	} `json:"softwareTokenMfaConfiguration"`
	DeletionProtection          string   `json:"deletionProtection"`
	AccountRecoverySetting      noEffect `json:"accountRecoverySetting"`
	EmailConfiguration          noEffect `json:"emailConfiguration"`
	EmailVerificationMessage    noEffect `json:"emailVerificationMessage"`
	EmailVerificationSubject    noEffect `json:"emailVerificationSubject"`
	Tags                        noEffect `json:"tags"`
	UserAttributeUpdateSettings noEffect `json:"userAttributeUpdateSettings"`
	UserPoolAddOns              noEffect `json:"userPoolAddOns"`
	UserPoolTier                noEffect `json:"userPoolTier"`
	VerificationMessageTemplate noEffect `json:"verificationMessageTemplate"`
}

func (in userPoolInputs) declared(id string) cognito.UserPool {
	pool := cognito.UserPool{
		ID: id, Name: in.Name, UsernameAttributes: in.UsernameAttributes, AutoVerifiedAttributes: in.AutoVerifiedAttributes,
		PasswordPolicy: cognito.DefaultPasswordPolicy, AdminCreateUserOnly: in.AdminCreateUserConfig.AllowAdminCreateUserOnly,
		MFA: in.MFAConfiguration, SoftwareTokenMFA: in.SoftwareTokenMFAConfiguration.Enabled, CaseSensitive: true,
	}
	if in.UsernameConfiguration != nil {
		pool.CaseSensitive = in.UsernameConfiguration.CaseSensitive
	}
	if p := in.PasswordPolicy; p != nil {
		pool.PasswordPolicy = cognito.PasswordPolicy{
			MinimumLength: p.MinimumLength, RequireLowercase: p.RequireLowercase, RequireUppercase: p.RequireUppercase,
			RequireNumbers: p.RequireNumbers, RequireSymbols: p.RequireSymbols,
		}
		pool.TemporaryPasswordValidity = time.Duration(p.TemporaryPasswordValidityDays) * 24 * time.Hour
	}
	return pool
}

func userPoolKind(s *cognito.Service) kind {
	return newKind(realised[userPoolInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, r Resource, in userPoolInputs) (string, Outputs, error) {
			id := ""
			if suffix := r.stableID(9); suffix != "" {
				id = awsapi.Region + "_" + suffix
			}
			pool, err := s.PutUserPool(in.declared(id))
			return pool.ID, Outputs{
				"arn": cognito.UserPoolARN(pool.ID), "endpoint": cognito.Endpoint(pool.ID),
				"creationDate": now(), "lastModifiedDate": now(), "estimatedNumberOfUsers": 0,
			}, err
		},
		onUpdate: func(_ context.Context, id string, _, in userPoolInputs) (Outputs, error) {
			_, err := s.PutUserPool(in.declared(id))
			return Outputs{"lastModifiedDate": now()}, err
		},
		onDelete: func(_ context.Context, id string, in userPoolInputs) error {
			if in.DeletionProtection == "ACTIVE" {
				return errors.New("InvalidParameterException: The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first")
			}
			s.DeleteUserPool(id)
			return nil
		},
	})
}

type userPoolClientInputs struct {
	UserPoolID                 string   `json:"userPoolId" change:"replace"`
	Name                       string   `json:"name"`
	GenerateSecret             bool     `json:"generateSecret" change:"replace"`
	ExplicitAuthFlows          []string `json:"explicitAuthFlows"`
	PreventUserExistenceErrors string   `json:"preventUserExistenceErrors"`
	AccessTokenValidity        int      `json:"accessTokenValidity"`
	IDTokenValidity            int      `json:"idTokenValidity"`
	RefreshTokenValidity       int      `json:"refreshTokenValidity"`
	AuthSessionValidity        int      `json:"authSessionValidity"` // minutes
	EnableTokenRevocation      *bool    `json:"enableTokenRevocation"`
	TokenValidityUnits         struct {
		AccessToken  string `json:"accessToken"`
		IDToken      string `json:"idToken"`
		RefreshToken string `json:"refreshToken"`
	} `json:"tokenValidityUnits"`
	SupportedIdentityProviders []string `json:"supportedIdentityProviders"`
	ReadAttributes             noEffect `json:"readAttributes"`
	WriteAttributes            noEffect `json:"writeAttributes"`
}

// validate refuses other identity providers than the pool itself.
func (in userPoolClientInputs) validate() error {
	for _, provider := range in.SupportedIdentityProviders {
		if provider != "COGNITO" {
			return fmt.Errorf("identity provider %q has no counterpart in the local cloud", provider)
		}
	}
	return nil
}

func (in userPoolClientInputs) declared(id string) (cognito.Client, error) {
	access, errAccess := validity(in.AccessTokenValidity, in.TokenValidityUnits.AccessToken, time.Hour)
	identity, errIdentity := validity(in.IDTokenValidity, in.TokenValidityUnits.IDToken, time.Hour)
	refresh, errRefresh := validity(in.RefreshTokenValidity, in.TokenValidityUnits.RefreshToken, 24*time.Hour)
	return cognito.Client{
		ID: id, UserPoolID: in.UserPoolID, Name: in.Name, GenerateSecret: in.GenerateSecret,
		ExplicitAuthFlows: in.ExplicitAuthFlows, PreventUserExistenceErrors: in.PreventUserExistenceErrors,
		AccessTokenValidity: access, IDTokenValidity: identity, RefreshTokenValidity: refresh,
		AuthSessionValidity:    time.Duration(in.AuthSessionValidity) * time.Minute,
		DisableTokenRevocation: in.EnableTokenRevocation != nil && !*in.EnableTokenRevocation,
	}, errors.Join(errAccess, errIdentity, errRefresh)
}

// validity is a number of units; the unit has a default.
func validity(n int, unit string, otherwise time.Duration) (time.Duration, error) {
	units := map[string]time.Duration{"": otherwise, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	length, ok := units[unit]
	if !ok {
		return 0, fmt.Errorf("unit %q of a token's validity must be seconds, minutes, hours or days", unit)
	}
	return time.Duration(n) * length, nil
}

func userPoolClientKind(s *cognito.Service) kind {
	put := func(id string, in userPoolClientInputs) (cognito.Client, error) {
		declared, err := in.declared(id)
		if err != nil {
			return cognito.Client{}, err
		}
		return s.PutClient(declared)
	}
	return newKind(realised[userPoolClientInputs]{
		name:     autoname{property: "name", max: 128},
		defaults: resource.PropertyMap{"enableTokenRevocation": resource.NewBoolProperty(true)},
		validate: userPoolClientInputs.validate,
		onCreate: func(_ context.Context, r Resource, in userPoolClientInputs) (string, Outputs, error) {
			client, err := put(r.stableID(26), in)
			return client.ID, Outputs{"clientSecret": client.Secret}, err
		},
		onUpdate: func(_ context.Context, id string, _, in userPoolClientInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, in userPoolClientInputs) error {
			return s.DeleteClient(in.UserPoolID, id)
		},
	})
}

type userGroupInputs struct {
	UserPoolID  string `json:"userPoolId" change:"replace"`
	Name        string `json:"name" change:"replace"`
	Description string `json:"description"`
	Precedence  *int   `json:"precedence"`
	RoleARN     string `json:"roleArn"`
}

func userGroupKind(s *cognito.Service) kind {
	put := func(in userGroupInputs) error { return s.PutGroup(cognito.Group(in)) }
	return newKind(realised[userGroupInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, _ Resource, in userGroupInputs) (string, Outputs, error) {
			return in.UserPoolID + "/" + in.Name, nil, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in userGroupInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, _ string, in userGroupInputs) error {
			return s.DeleteGroup(in.UserPoolID, in.Name)
		},
	})
}

type identityPoolInputs struct {
	Name                 string `json:"identityPoolName" change:"replace"`
	AllowUnauthenticated bool   `json:"allowUnauthenticatedIdentities"`
	AllowClassicFlow     bool   `json:"allowClassicFlow"`
	Providers            []struct {
		ClientID             string   `json:"clientId"`
		ProviderName         string   `json:"providerName"`
		ServerSideTokenCheck noEffect `json:"serverSideTokenCheck"`
	} `json:"cognitoIdentityProviders"`
	Tags noEffect `json:"tags"`
}

func identityPoolKind(s *cognito.Service) kind {
	put := func(id string, in identityPoolInputs) (cognito.IdentityPool, error) {
		pool := cognito.IdentityPool{ID: id, Name: in.Name, AllowUnauthenticated: in.AllowUnauthenticated}
		for _, provider := range in.Providers {
			pool.Providers = append(pool.Providers, cognito.IdentityProvider{ClientID: provider.ClientID, ProviderName: provider.ProviderName})
		}
		return s.PutIdentityPool(pool)
	}
	return newKind(realised[identityPoolInputs]{
		validate: func(in identityPoolInputs) error {
			if in.AllowClassicFlow {
				return errors.New("allowClassicFlow has no counterpart in the local cloud")
			}
			return nil
		},
		onCreate: func(_ context.Context, r Resource, in identityPoolInputs) (string, Outputs, error) {
			pool, err := put(r.stableUUID(awsapi.Region+":"), in)
			return pool.ID, Outputs{"arn": awsapi.ARN("cognito-identity", "identitypool/"+pool.ID)}, err
		},
		onUpdate: func(_ context.Context, id string, _, in identityPoolInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, _ identityPoolInputs) error {
			s.DeleteIdentityPool(id)
			return nil
		},
	})
}

type identityPoolRolesInputs struct {
	IdentityPoolID string `json:"identityPoolId" change:"replace"`
	Roles          struct {
		Authenticated   string `json:"authenticated"`
		Unauthenticated string `json:"unauthenticated"`
	} `json:"roles"`
}

func identityPoolRolesKind(s *cognito.Service) kind {
	return newKind(realised[identityPoolRolesInputs]{
		onCreate: func(_ context.Context, _ Resource, in identityPoolRolesInputs) (string, Outputs, error) {
			return in.IdentityPoolID, nil, s.SetIdentityPoolRole(in.IdentityPoolID, in.Roles.Authenticated)
		},
		onUpdate: func(_ context.Context, id string, _, in identityPoolRolesInputs) (Outputs, error) {
			return nil, s.SetIdentityPoolRole(id, in.Roles.Authenticated)
		},
		onDelete: func(_ context.Context, id string, _ identityPoolRolesInputs) error {
			return s.SetIdentityPoolRole(id, "")
		},
	})
}
