package localcloud

import (
	"context"
	"errors"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Program is a Pulumi program and all that a cloud knows of it: only Declare
// must be set. The program of this project is in internal/localservice.
type Program struct {
	// Declare declares the resources, as a function given to pulumi.Run does.
	Declare func(ctx *pulumi.Context, with Setup) error
	// Functions is how many functions Declare has built, for the lines of
	// progress. Default: unknown.
	Functions int
	// AdoptedPool returns the user pool and its client that the program expects
	// to find, as its configuration names them, or "". Default: none.
	AdoptedPool func(with Setup) (poolID, clientID string)
	// UserPoolOutput is the output with the id of the user pool in which a demo
	// user is made. Default: there is no demo user.
	UserPoolOutput string
	// Localize changes the outputs, which /config.json shows, to their local
	// values. URLs are those of the stages of the program by the type of their
	// resource. Default: the outputs stay as they are.
	Localize func(outputs map[string]any, urls map[string]string)
	// Page returns what is served on every path that nothing else has. Default:
	// 404.
	Page func() (http.Handler, error)
}

// Setup is what a program is run with.
type Setup struct {
	Project string
	Config  map[string]string // by full key, "project:key"; objects as JSON
	Builder Builder           // of functions for this machine
}

// Run starts a cloud with a program and returns it when it is ready. Close ends
// it.
func Run(ctx context.Context, program Program, options Options) (*Cloud, error) {
	cloud, err := New(program, options)
	if err != nil {
		return nil, err
	}
	if err := cloud.Start(ctx); err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	return cloud, nil
}
