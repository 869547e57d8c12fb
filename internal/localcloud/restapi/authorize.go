package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// authorize lets the method's authorizer judge the request.
func (s *Service) authorize(q *request) *failure {
	m := q.route.method
	switch z := q.snapshot.authorizers[m.authorizer]; {
	case m.authorizer == "":
		return nil
	case z.functionARN != "":
		return s.askFunction(q, z)
	default:
		return s.checkToken(q, z, m.scopes)
	}
}

// checkToken is a Cognito authorizer. A method without scopes takes an ID token,
// one with scopes an access token that has one of them.
func (s *Service) checkToken(q *request, z authorizer, scopes []string) *failure {
	header, _ := gateway.Value(q.fields, z.header)
	token := withoutBearer(header)
	if token == "" {
		return &failureUnauthorized
	}
	claims, err := s.verify(z, token)
	if errors.Is(err, jwt.ErrTokenExpired) {
		return &failureExpired
	}
	if err != nil || !suits(claims, scopes) {
		return &failureUnauthorized
	}
	q.claims = stringify(claims)
	return nil
}

func withoutBearer(header string) string {
	header = strings.TrimSpace(header)
	if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return header
}

// verify asks each pool of the authorizer. An expired token of one of them is
// reported as such.
func (s *Service) verify(z authorizer, token string) (map[string]any, error) {
	var failed error
	for _, poolARN := range z.userPoolARNs {
		claims, err := s.deps.Tokens.VerifyToken(poolARN, token)
		if err == nil {
			return claims, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func suits(claims map[string]any, scopes []string) bool {
	use, _ := claims["token_use"].(string)
	if len(scopes) == 0 {
		return use == "id"
	}
	granted, _ := claims["scope"].(string)
	return use == "access" && slices.ContainsFunc(strings.Fields(granted), func(scope string) bool { return slices.Contains(scopes, scope) })
}

// stringify writes claims as requestContext.authorizer.claims has them: all
// strings, exp and iat as dates, lists joined by commas.
func stringify(claims map[string]any) map[string]string {
	out := make(map[string]string, len(claims))
	for name, value := range claims {
		out[name] = claimText(name, value)
	}
	return out
}

func claimText(name string, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return numberText(name, v.String())
	case float64:
		return numberText(name, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = claimText("", part)
		}
		return strings.Join(parts, ",")
	case nil:
		return ""
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
}

func numberText(name, number string) string {
	if seconds, err := strconv.ParseInt(number, 10, 64); err == nil && (name == "exp" || name == "iat") {
		return time.Unix(seconds, 0).UTC().Format("Mon Jan 02 15:04:05 MST 2006")
	}
	return number
}
