package cognito

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Prefixes of X-Amz-Target.
const (
	TargetUserPools     = "AWSCognitoIdentityProviderService"
	TargetIdentityPools = "AWSCognitoIdentityService"
)

const maxBodyBytes = 1 << 20

var internalError = &awsapi.Error{Status: http.StatusInternalServerError, Code: "InternalErrorException", Message: "Internal error"}

// operation is one operation of the API.
type operation struct {
	service string // endpoint prefix
	// permission makes the operation one of an administrator: the IAM action
	// needed on the pool that the input names. "" is unsigned.
	permission string
	run        func(s *Service, body []byte) (any, *awsapi.Error)
}

// userOperation is an operation that clients call unsigned.
func userOperation[In, Out any](run func(*Service, In) (Out, *awsapi.Error)) operation {
	return operation{"cognito-idp", "", decoded(run)}
}

// adminOperation is an operation that needs a signature and a permission.
func adminOperation[In, Out any](name string, run func(*Service, In) (Out, *awsapi.Error)) operation {
	return operation{"cognito-idp", "cognito-idp:" + name, decoded(run)}
}

func identityOperation[In, Out any](run func(*Service, In) (Out, *awsapi.Error)) operation {
	return operation{"cognito-identity", "", decoded(run)}
}

func decoded[In, Out any](run func(*Service, In) (Out, *awsapi.Error)) func(*Service, []byte) (any, *awsapi.Error) {
	return func(s *Service, body []byte) (any, *awsapi.Error) {
		var in In
		if json.Unmarshal(body, &in) != nil {
			return nil, fail("SerializationException", "The request could not be read")
		}
		return run(s, in)
	}
}

// empty is the output of operations that tell nothing.
type empty struct{}

var operations = map[string]map[string]operation{
	TargetUserPools: {
		"SignUp":                      userOperation((*Service).signUp),
		"ConfirmSignUp":               userOperation((*Service).confirmSignUp),
		"ResendConfirmationCode":      userOperation((*Service).resendConfirmationCode),
		"InitiateAuth":                userOperation((*Service).initiateAuth),
		"RespondToAuthChallenge":      userOperation((*Service).respondToAuthChallenge),
		"GetUser":                     userOperation((*Service).getUser),
		"ForgotPassword":              userOperation((*Service).forgotPassword),
		"ConfirmForgotPassword":       userOperation((*Service).confirmForgotPassword),
		"ChangePassword":              userOperation((*Service).changePassword),
		"GlobalSignOut":               userOperation((*Service).globalSignOut),
		"RevokeToken":                 userOperation((*Service).revokeToken),
		"DeleteUser":                  userOperation((*Service).deleteUser),
		"AssociateSoftwareToken":      userOperation((*Service).associateSoftwareToken),
		"VerifySoftwareToken":         userOperation((*Service).verifySoftwareToken),
		"SetUserMFAPreference":        userOperation((*Service).setUserMFAPreference),
		"AdminCreateUser":             adminOperation("AdminCreateUser", (*Service).adminCreateUser),
		"AdminSetUserPassword":        adminOperation("AdminSetUserPassword", (*Service).adminSetUserPassword),
		"AdminAddUserToGroup":         adminOperation("AdminAddUserToGroup", (*Service).adminAddUserToGroup),
		"AdminRemoveUserFromGroup":    adminOperation("AdminRemoveUserFromGroup", (*Service).adminRemoveUserFromGroup),
		"AdminListGroupsForUser":      adminOperation("AdminListGroupsForUser", (*Service).adminListGroupsForUser),
		"AdminGetUser":                adminOperation("AdminGetUser", (*Service).adminGetUser),
		"AdminInitiateAuth":           adminOperation("AdminInitiateAuth", (*Service).adminInitiateAuth),
		"AdminRespondToAuthChallenge": adminOperation("AdminRespondToAuthChallenge", (*Service).adminRespondToAuthChallenge),
		"AdminSetUserMFAPreference":   adminOperation("AdminSetUserMFAPreference", (*Service).adminSetUserMFAPreference),
		"AdminConfirmSignUp":          adminOperation("AdminConfirmSignUp", (*Service).adminConfirmSignUp),
		"AdminUserGlobalSignOut":      adminOperation("AdminUserGlobalSignOut", (*Service).adminUserGlobalSignOut),
		"AdminDeleteUser":             adminOperation("AdminDeleteUser", (*Service).adminDeleteUser),
		"AdminDisableUser":            adminOperation("AdminDisableUser", (*Service).adminDisableUser),
		"AdminEnableUser":             adminOperation("AdminEnableUser", (*Service).adminEnableUser),
		"ListUsers":                   adminOperation("ListUsers", (*Service).listUsers),
	},
	TargetIdentityPools: {
		"GetId":                     identityOperation((*Service).getID),
		"GetCredentialsForIdentity": identityOperation((*Service).getCredentialsForIdentity),
	},
}

// ServeHTTP serves both APIs on POST / and the documents of each pool. Browsers
// call it from any origin, as they call Cognito.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowAnyOrigin(w.Header())
	switch {
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusOK)
	case r.Method == http.MethodPost && r.URL.Path == "/":
		s.serveOperation(w, r)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.serveDocument(w, r)
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// allowAnyOrigin lets pages call what clients call. Signed calls are not for
// pages: Authorization is no allowed header.
func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-Amz-Target, X-Amz-User-Agent, Cache-Control, amz-sdk-invocation-id, amz-sdk-request")
	h.Set("Access-Control-Expose-Headers", "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, Date")
	h.Set("Access-Control-Max-Age", "172800")
}

func (s *Service) serveOperation(w http.ResponseWriter, r *http.Request) {
	target, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	op, ok := operations[target][name]
	if !ok {
		awsapi.JSON11.WriteError(w, fail("UnknownOperationException", "The local cloud does not serve %q", r.Header.Get("X-Amz-Target")))
		return
	}
	body, err := awsapi.ReadBody(r, maxBodyBytes)
	if err != nil {
		awsapi.JSON11.WriteError(w, err)
		return
	}
	loseResponse, err := s.admit(r.Context(), op, name, awsapi.AccessKeyID(r), body)
	var result any
	if err == nil {
		result, err = op.run(s, body)
	}
	switch {
	case loseResponse:
		awsapi.Drop(w)
	case err != nil:
		w.Header().Set("x-amzn-ErrorMessage", err.Message)
		awsapi.JSON11.WriteError(w, err)
	default:
		awsapi.JSON11.WriteResult(w, result)
	}
}

// admit asks the guard. The body, which may hold a password, stays here.
func (s *Service) admit(ctx context.Context, op operation, name, accessKeyID string, body []byte) (loseResponse bool, err *awsapi.Error) {
	call := awsapi.Call{Service: op.service, Operation: name}
	if op.permission != "" {
		if accessKeyID == "" {
			return false, fail("MissingAuthenticationTokenException", "Missing Authentication Token")
		}
		var in struct {
			UserPoolID string `json:"UserPoolId"`
		}
		_ = json.Unmarshal(body, &in) // what cannot be read is refused by the operation
		call.AccessKeyID = accessKeyID
		call.Permissions = []awsapi.Permission{{Action: op.permission, Resource: UserPoolARN(in.UserPoolID)}}
	}
	return s.deps.Guard.Admit(ctx, call)
}

// serveDocument serves /{poolId}/.well-known/{jwks.json,openid-configuration}.
func (s *Service) serveDocument(w http.ResponseWriter, r *http.Request) {
	poolID, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/.well-known/")
	s.mu.Lock()
	p := s.pools[poolID]
	s.mu.Unlock()
	var document any
	switch {
	case p == nil:
	case name == "jwks.json":
		keys, err := p.keys.pair()
		if err != nil {
			awsapi.RestJSON.WriteError(w, internalError)
			return
		}
		document = map[string]any{"keys": []webKey{keys[0].public(), keys[1].public()}}
	case name == "openid-configuration":
		document = map[string]any{
			"issuer": Issuer(poolID), "jwks_uri": Issuer(poolID) + "/.well-known/jwks.json",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "subject_types_supported": []string{"public"},
			"response_types_supported": []string{"code", "token"}, "scopes_supported": []string{"openid", "email", "phone", "profile"},
		}
	}
	if document == nil {
		awsapi.RestJSON.WriteError(w, &awsapi.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Not found"})
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	awsapi.RestJSON.WriteResult(w, document)
}

// ServeOutbox serves the mails to ?to=, or all of them, oldest first.
func (s *Service) ServeOutbox(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	found := []Mail{}
	s.mu.Lock()
	for _, m := range s.outbox {
		if to == "" || strings.EqualFold(m.To, to) {
			found = append(found, m)
		}
	}
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	awsapi.RestJSON.WriteResult(w, found)
}
