// Package directory looks users up in a Cognito user pool.
package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// ErrNoUser says that the pool has no such user.
var ErrNoUser = errors.New("no such user")

// ErrThrottled says that the pool is asked more often than its quota allows.
var ErrThrottled = errors.New("the user pool is throttled")

// User is a user of the pool.
type User struct {
	ID      string // the sub of the user's tokens
	Email   string
	Groups  []string // of Find only
	Enabled bool
}

// Directory is a user pool.
type Directory struct {
	client *cognitoidentityprovider.Client
	poolID string
}

// New returns the directory of a user pool.
func New(cfg aws.Config, poolID string) *Directory {
	return &Directory{client: cognitoidentityprovider.NewFromConfig(cfg), poolID: poolID}
}

// Find returns the user of an e-mail address or of a sub, with the user's
// groups; ErrNoUser if there is none.
func (d *Directory) Find(ctx context.Context, name string) (User, error) {
	user, err := d.Get(ctx, name)
	if err != nil {
		return User{}, err
	}
	user.Groups, err = d.groups(ctx, name)
	return user, err
}

// Get returns the user of a name, in one call; ErrNoUser if there is none,
// ErrThrottled if the pool is asked too often.
func (d *Directory) Get(ctx context.Context, name string) (User, error) {
	out, err := d.client.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &d.poolID, Username: &name})
	if _, unknown := errors.AsType[*types.UserNotFoundException](err); unknown {
		return User{}, fmt.Errorf("%w: %s", ErrNoUser, name)
	}
	if _, throttled := errors.AsType[*types.TooManyRequestsException](err); throttled {
		return User{}, fmt.Errorf("%w: %w", ErrThrottled, err)
	}
	if err != nil {
		return User{}, fmt.Errorf("finding user %s: %w", name, err)
	}
	user := User{Enabled: out.Enabled}
	for _, attribute := range out.UserAttributes {
		switch aws.ToString(attribute.Name) {
		case "sub":
			user.ID = aws.ToString(attribute.Value)
		case "email":
			user.Email = aws.ToString(attribute.Value)
		}
	}
	return user, nil
}

func (d *Directory) groups(ctx context.Context, name string) ([]string, error) {
	var groups []string
	pages := cognitoidentityprovider.NewAdminListGroupsForUserPaginator(d.client, &cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: &d.poolID, Username: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing groups of user %s: %w", name, err)
		}
		for _, group := range page.Groups {
			groups = append(groups, aws.ToString(group.GroupName))
		}
	}
	return groups, nil
}
