// Package cognito is the local Amazon Cognito: user pools with sign-up,
// sign-in and RS256 tokens, and as much of identity pools as a client needs to
// ask for credentials. It speaks the JSON 1.1 protocol of
// AWSCognitoIdentityProviderService and AWSCognitoIdentityService on POST /,
// and serves each pool's JWKS and discovery document.
package cognito

import (
	"net/http"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// PasswordPolicy is what a pool demands of passwords.
type PasswordPolicy struct {
	MinimumLength    int // 6 to 99, default 8
	RequireLowercase bool
	RequireUppercase bool
	RequireNumbers   bool
	RequireSymbols   bool
}

const defaultTemporaryPasswordValidity = 7 * 24 * time.Hour

// DefaultPasswordPolicy is the policy of a pool that declares none.
var DefaultPasswordPolicy = PasswordPolicy{8, true, true, true, true}

// UserPool declares a user pool.
type UserPool struct {
	ID                     string // us-east-1_XXXXXXXXX, made when empty
	Name                   string
	UsernameAttributes     []string // email, or none: users choose a name
	CaseSensitive          bool     // of user names
	AutoVerifiedAttributes []string // email: sign-up sends a code
	PasswordPolicy         PasswordPolicy
	AdminCreateUserOnly    bool   // no self sign-up
	MFA                    string // OFF (or ""), OPTIONAL or ON
	SoftwareTokenMFA       bool   // the factor that MFA needs: codes of an authenticator app

	TemporaryPasswordValidity time.Duration // default 7 days
}

// Client declares an app client of a pool. Validities of 0 mean AWS's defaults.
type Client struct {
	ID                         string // 26 characters, made when empty
	UserPoolID                 string
	Name                       string
	GenerateSecret             bool
	Secret                     string   // set by PutClient when GenerateSecret
	ExplicitAuthFlows          []string // none: refresh, SRP and custom, as in AWS
	PreventUserExistenceErrors string   // ENABLED or LEGACY (or "")
	AccessTokenValidity        time.Duration
	IDTokenValidity            time.Duration
	RefreshTokenValidity       time.Duration
	AuthSessionValidity        time.Duration
	DisableTokenRevocation     bool
}

// Group declares a group of a pool. A lower precedence wins; nil is the weakest.
type Group struct {
	UserPoolID  string
	Name        string
	Description string
	Precedence  *int
	RoleARN     string
}

// IdentityPool declares an identity pool.
type IdentityPool struct {
	ID                   string // us-east-1:UUID, made when empty
	Name                 string
	AllowUnauthenticated bool
	Providers            []IdentityProvider
	AuthenticatedRoleARN string // as attached by IdentityPoolRoleAttachment
}

// IdentityProvider is a pool's client whose ID tokens an identity pool accepts.
type IdentityProvider struct {
	ClientID     string
	ProviderName string // cognito-idp.us-east-1.amazonaws.com/{poolId}
}

// Mail is a message that a pool would have sent.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Code    string `json:"code"`
}

// RoleCredentials issues credentials of a role, as IAM does. It may be nil;
// then identity pools give none.
type RoleCredentials func(roleARN string) (accessKeyID, secret, sessionToken string)

// Deps are what a Service needs.
type Deps struct {
	Guard       awsapi.Guard
	Credentials RoleCredentials
	Now         func() time.Time // default time.Now
}

// Service holds user pools and identity pools.
type Service struct {
	deps Deps

	mu         sync.Mutex
	pools      map[string]*pool
	clients    map[string]*pool // by client id
	identities map[string]*identityPool
	saved      map[string]poolState // restored, waiting for their pool to be put
	challenges map[string]challenge // by session or secret block
	outbox     []Mail
}

var _ http.Handler = (*Service)(nil)

// New returns a Service without pools.
func New(deps Deps) *Service {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Service{
		deps: deps, pools: map[string]*pool{}, clients: map[string]*pool{},
		identities: map[string]*identityPool{}, saved: map[string]poolState{}, challenges: map[string]challenge{},
	}
}

// UserPoolARN returns the ARN of a pool.
func UserPoolARN(id string) string { return awsapi.ARN("cognito-idp", "userpool/"+id) }

// Endpoint returns the endpoint attribute of a pool: its issuer without scheme.
func Endpoint(id string) string {
	return "cognito-idp." + awsapi.Region + "." + awsapi.DNSSuffix + "/" + id
}

// Issuer returns the iss claim of a pool's tokens.
func Issuer(id string) string { return "https://" + Endpoint(id) }
