package localcloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// demoUser is who the page signs in as until somebody signs up; nobody where the
// program has no user pool.
type demoUser struct{ name, password string }

// demoPassword satisfies any policy but a longer minimum.
const demoPassword = "Local-demo-1"

// adoptUserPool makes the pool that the program does not declare but adopts: it
// is somebody else's.
func (c *Cloud) adoptUserPool(context.Context) error {
	if c.program.AdoptedPool == nil {
		return nil
	}
	poolID, clientID := c.program.AdoptedPool(c.setup(nil))
	if poolID == "" {
		return nil
	}
	email := []string{"email"}
	pool := cognito.UserPool{ID: poolID, Name: "adopted", UsernameAttributes: email, AutoVerifiedAttributes: email, PasswordPolicy: cognito.DefaultPasswordPolicy}
	if _, err := c.services.users.PutUserPool(pool); err != nil {
		return fmt.Errorf("making the adopted user pool: %w", err)
	}
	_, err := c.services.users.PutClient(cognito.Client{
		ID: clientID, UserPoolID: pool.ID, Name: "adopted", PreventUserExistenceErrors: "ENABLED",
		ExplicitAuthFlows: []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"},
	})
	if err != nil {
		return fmt.Errorf("making the adopted user pool's client: %w", err)
	}
	return nil
}

// createDemoUser makes the demo user in the pool of the program.
func (c *Cloud) createDemoUser(context.Context) error {
	if c.program.UserPoolOutput == "" {
		return nil
	}
	id, _ := c.graph.Outputs()[c.program.UserPoolOutput].(string)
	c.demo = demoUser{name: "demo@example.com", password: demoPassword}
	if pool, ok := c.provider.Find(provision.UserPool, id); ok && pool["passwordPolicy"].IsObject() {
		minimum := pool["passwordPolicy"].ObjectValue()["minimumLength"]
		if minimum.IsNumber() && int(minimum.NumberValue()) > len(demoPassword) {
			c.demo.password += strings.Repeat("x", int(minimum.NumberValue())-len(demoPassword))
		}
	}
	if _, err := c.services.users.CreateUser(id, c.demo.name, c.demo.password); err != nil {
		return fmt.Errorf("creating the demo user: %w", err)
	}
	return nil
}
