package components

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// authentication is who the users are: a user pool of the service's own or an
// adopted one, and an identity pool.
type authentication struct {
	poolID, poolARN, clientID, identityPoolID, roleName pulumi.StringOutput
	signIn                                              pulumi.StringMapOutput
}

func (b *build) newAuthentication() error {
	b.auth = &authentication{}
	if b.args.Auth.UserPoolId != nil {
		b.adoptUserPool()
	} else if err := b.newUserPool(); err != nil {
		return err
	}
	return b.newIdentityPool()
}

// adoptUserPool uses a pool that somebody else owns. No groups are made in it:
// they may exist.
func (b *build) adoptUserPool() {
	b.auth.poolID = b.place.here("auth.userPoolId", required(b.args.Auth.UserPoolId))
	b.auth.clientID = required(b.args.Auth.UserPoolClientId).ToStringOutput()
	b.auth.poolARN = b.place.arn("cognito-idp", pulumi.Sprintf("userpool/%s", b.auth.poolID))
	b.auth.signIn = pulumi.StringMap{}.ToStringMapOutput()
}

// newUserPool creates the pool. User names, their case and the schema cannot
// change without replacing the pool and its users: names are e-mail addresses,
// case-insensitive, and the schema is Cognito's own.
func (b *build) newUserPool() error {
	auth := b.args.Auth
	args := &cognito.UserPoolArgs{
		UsernameAttributes:     pulumi.ToStringArray([]string{"email"}),
		UsernameConfiguration:  &cognito.UserPoolUsernameConfigurationArgs{CaseSensitive: pulumi.Bool(false)},
		AutoVerifiedAttributes: pulumi.ToStringArray([]string{"email"}),
		UserAttributeUpdateSettings: &cognito.UserPoolUserAttributeUpdateSettingsArgs{
			AttributesRequireVerificationBeforeUpdates: pulumi.ToStringArray([]string{"email"}),
		},
		AccountRecoverySetting: &cognito.UserPoolAccountRecoverySettingArgs{
			RecoveryMechanisms: cognito.UserPoolAccountRecoverySettingRecoveryMechanismArray{
				&cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs{Name: pulumi.String("verified_email"), Priority: pulumi.Int(1)},
			},
		},
		AdminCreateUserConfig: &cognito.UserPoolAdminCreateUserConfigArgs{AllowAdminCreateUserOnly: negated(auth.SelfSignUp)},
		PasswordPolicy: &cognito.UserPoolPasswordPolicyArgs{
			MinimumLength:                 auth.PasswordMinimumLength,
			RequireLowercase:              pulumi.Bool(true),
			RequireUppercase:              pulumi.Bool(true),
			RequireNumbers:                pulumi.Bool(true),
			RequireSymbols:                pulumi.Bool(false),
			TemporaryPasswordValidityDays: pulumi.Int(7),
		},
		MfaConfiguration:   auth.Mfa,
		UserPoolTier:       auth.UserPoolTier,
		DeletionProtection: pulumi.String(b.ifProtected("ACTIVE", "INACTIVE")),
		Tags:               b.args.Tags,
	}
	if mfa, _ := plain(auth.Mfa); mfa != "OFF" {
		args.SoftwareTokenMfaConfiguration = &cognito.UserPoolSoftwareTokenMfaConfigurationArgs{Enabled: mfaEnabled(auth.Mfa)}
	}
	if auth.SesSourceArn != nil {
		args.EmailConfiguration = &cognito.UserPoolEmailConfigurationArgs{
			EmailSendingAccount: pulumi.String("DEVELOPER"),
			SourceArn:           auth.SesSourceArn,
			FromEmailAddress:    auth.FromEmailAddress,
		}
	}
	pool, err := cognito.NewUserPool(b.ctx, b.child("user-pool"), args, b.protected()...)
	if err != nil {
		return fmt.Errorf("creating user pool: %w", err)
	}
	b.auth.poolID, b.auth.poolARN = pool.ID().ToStringOutput(), pool.Arn
	b.auth.signIn = pulumi.StringMap{
		"mfa":                   required(auth.Mfa),
		"passwordMinimumLength": pulumi.Sprintf("%d", auth.PasswordMinimumLength.ToIntPtrOutput().Elem()),
		"selfSignUp":            pulumi.Sprintf("%t", auth.SelfSignUp.ToBoolPtrOutput().Elem()),
	}.ToStringMapOutput()
	if err := b.newUserPoolClient(); err != nil {
		return err
	}
	return b.newTierGroups()
}

// longestAuthSession is how many minutes a user has for a new password or for
// the set-up of an authenticator app: as many as Cognito allows (3 to 15).
const longestAuthSession = 15

func (b *build) newUserPoolClient() error {
	auth := b.args.Auth
	client, err := cognito.NewUserPoolClient(b.ctx, b.child("user-pool-client"), &cognito.UserPoolClientArgs{
		UserPoolId:                 b.auth.poolID,
		GenerateSecret:             pulumi.Bool(false), // a browser cannot keep one
		PreventUserExistenceErrors: pulumi.String("ENABLED"),
		EnableTokenRevocation:      pulumi.Bool(true),
		ExplicitAuthFlows:          pulumi.ToStringArray([]string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"}),
		IdTokenValidity:            auth.IdTokenValidityMinutes,
		AccessTokenValidity:        auth.AccessTokenValidityMinutes,
		RefreshTokenValidity:       auth.RefreshTokenValidityDays,
		AuthSessionValidity:        pulumi.Int(longestAuthSession),
		TokenValidityUnits: &cognito.UserPoolClientTokenValidityUnitsArgs{
			IdToken: pulumi.String("minutes"), AccessToken: pulumi.String("minutes"), RefreshToken: pulumi.String("days"),
		},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating user pool client: %w", err)
	}
	b.auth.clientID = client.ID().ToStringOutput()
	return nil
}

// newTierGroups makes a group for each tier; its name is the tier's.
func (b *build) newTierGroups() error {
	for _, group := range slices.Sorted(maps.Keys(b.args.Quota.Tiers)) {
		_, err := cognito.NewUserGroup(b.ctx, b.child("tier-"+group), &cognito.UserGroupArgs{
			UserPoolId:  b.auth.poolID,
			Name:        pulumi.String(group),
			Description: pulumi.String("Users with the limits of the tier " + group),
			Precedence:  b.args.Quota.Tiers[group].Precedence,
		}, b.options()...)
		if err != nil {
			return fmt.Errorf("creating group of tier %s: %w", group, err)
		}
	}
	return nil
}

// newIdentityPool makes the identity pool, whose authenticated role may do
// nothing until its owner adds permissions.
func (b *build) newIdentityPool() error {
	pool, err := cognito.NewIdentityPool(b.ctx, b.child("identity-pool"), &cognito.IdentityPoolArgs{
		IdentityPoolName:               pulumi.String(b.identityPoolName()),
		AllowUnauthenticatedIdentities: pulumi.Bool(false),
		AllowClassicFlow:               pulumi.Bool(false),
		CognitoIdentityProviders: cognito.IdentityPoolCognitoIdentityProviderArray{
			&cognito.IdentityPoolCognitoIdentityProviderArgs{
				ClientId:             b.auth.clientID,
				ProviderName:         b.place.issuer(b.auth.poolID),
				ServerSideTokenCheck: pulumi.Bool(true),
			},
		},
		Tags: b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating identity pool: %w", err)
	}
	b.auth.identityPoolID = pool.ID().ToStringOutput()
	role, err := iam.NewRole(b.ctx, b.child("authenticated-role"), &iam.RoleArgs{
		Description:      pulumi.String("Signed-in users of " + b.name + "; without permissions"),
		AssumeRolePolicy: b.trustIdentities(b.auth.identityPoolID),
		Tags:             b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating authenticated role: %w", err)
	}
	b.auth.roleName = role.Name
	_, err = cognito.NewIdentityPoolRoleAttachment(b.ctx, b.child("identity-pool-roles"), &cognito.IdentityPoolRoleAttachmentArgs{
		IdentityPoolId: b.auth.identityPoolID,
		Roles:          pulumi.StringMap{"authenticated": role.Arn},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("attaching authenticated role: %w", err)
	}
	return nil
}

// negated returns the opposite of a setting that has a value.
func negated(input pulumi.BoolPtrInput) pulumi.BoolPtrInput {
	if v, known := plain(input); known {
		return pulumi.Bool(v != true)
	}
	return input.ToBoolPtrOutput().Elem().ApplyT(func(v bool) bool { return !v }).(pulumi.BoolOutput)
}

func mfaEnabled(mfa pulumi.StringPtrInput) pulumi.BoolInput {
	if v, known := plain(mfa); known {
		return pulumi.Bool(v != "OFF")
	}
	return mfa.ToStringPtrOutput().Elem().ApplyT(func(v string) bool { return v != "OFF" }).(pulumi.BoolOutput)
}
