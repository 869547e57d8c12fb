package components

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Child is a resource of a StreamingService that is about to be registered.
type Child struct {
	// Role is the logical name without that of the service: "queue",
	// "processor", "quota-table".
	Role string
	// Type is the type token: "aws:sqs/queue:Queue".
	Type string
	// Args points to the arguments, in the type of the resource's package, such
	// as *sqs.QueueArgs, to be changed in place; pulumi.Map for the few resources
	// that the service registers by their token.
	Args pulumi.Input
	// Options may be appended to. The parent cannot be changed.
	Options []pulumi.ResourceOption
}

// Transform changes a child before it is registered, for what no setting
// covers. The service does not validate what it does: a change of what the
// functions rely on, such as the keys of a table, breaks them.
type Transform func(child *Child)

// transformation gives the children of a service, not the service itself, to a
// transform.
func transformation(service string, transform Transform) pulumi.ResourceTransformation {
	return func(registered *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		role, isChild := strings.CutPrefix(registered.Name, service+"-")
		if !isChild || registered.Type == Type {
			return nil
		}
		child := Child{Role: role, Type: registered.Type, Args: registered.Props, Options: registered.Opts}
		transform(&child)
		return &pulumi.ResourceTransformationResult{Props: child.Args, Opts: child.Options}
	}
}
