package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// GuardType is the type token of a service's deletion guard.
const GuardType = "streaming:index:DeletionGuard"

// children are the resources of a service that were declared so far. Pulumi's SDK
// has such a list, too, but a resource joins that in a goroutine of its own: what
// depends on the service may miss the last ones.
type children []pulumi.Resource

// join is a transformation that changes nothing.
func (c *children) join(declared *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	if declared.Type != Type {
		*c = append(*c, declared.Resource)
	}
	return nil
}

// newGuard registers a component that is nothing but a place in the order of
// deletions: it depends on everything, so a destroy begins with it. While the
// service is protected so is the guard, and the destroy ends there. Protected
// tables alone would stop a destroy only after all that depends on them is
// gone, unless a preview comes first, which automation leaves out.
func (b *build) newGuard() error {
	err := b.ctx.RegisterComponentResource(GuardType, b.child("deletion-guard"), &pulumi.ResourceState{},
		b.options(pulumi.Protect(b.isProtected()), pulumi.DependsOn(slices.Clone(*b.children)))...)
	if err != nil {
		return fmt.Errorf("registering deletion guard: %w", err)
	}
	return nil
}
