package cognito

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type listUsersInput struct {
	UserPoolID      string `json:"UserPoolId"`
	Filter          string
	Limit           *int
	PaginationToken string
}

type listUsersOutput struct {
	PaginationToken string `json:",omitempty"`
	Users           []userDescription
}

// maxListUsers is the largest page of ListUsers and its default.
const maxListUsers = 60

// filterForm is the one form of Filter that is served: name = "value" or
// name ^= "prefix".
var filterForm = regexp.MustCompile(`^\s*"?([\w:]+)"?\s*(\^?=)\s*"([^"]*)"\s*$`)

// listUsers lists users in the order of their sub; the pagination token is the
// last one seen.
func (s *Service) listUsers(in listUsersInput) (*listUsersOutput, *awsapi.Error) {
	limit := maxListUsers
	if in.Limit != nil && *in.Limit != 0 {
		limit = *in.Limit
	}
	if limit < 0 || limit > maxListUsers {
		return nil, invalid("1 validation error detected: Value '%s' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60", strconv.Itoa(limit))
	}
	keep, err := parseFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	out := &listUsersOutput{Users: []userDescription{}}
	return out, s.edit(in.UserPoolID, func(p *pool) *awsapi.Error {
		found := make([]*user, 0, len(p.users))
		for _, u := range p.users {
			if u.Sub > in.PaginationToken && keep(u) {
				found = append(found, u)
			}
		}
		slices.SortFunc(found, func(a, b *user) int { return strings.Compare(a.Sub, b.Sub) })
		for i, u := range found {
			if i == limit {
				out.PaginationToken = found[i-1].Sub
				break
			}
			out.Users = append(out.Users, describe(u))
		}
		return nil
	})
}

func parseFilter(filter string) (func(*user) bool, *awsapi.Error) {
	if filter == "" {
		return func(*user) bool { return true }, nil
	}
	parts := filterForm.FindStringSubmatch(filter)
	if parts == nil {
		return nil, invalid("Error while parsing filter: %s", filter)
	}
	name, operator, value := parts[1], parts[2], parts[3]
	return func(u *user) bool {
		have := u.Attributes[name]
		switch name {
		case "username":
			have = u.Username
		case "cognito:user_status":
			have = u.Status
		}
		if operator == "^=" {
			return strings.HasPrefix(have, value)
		}
		return have == value
	}, nil
}
