package provision

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// autoname is how the provider names a resource whose program does not: the
// logical name, a dash and seven hexadecimal digits, as pulumi-aws does.
type autoname struct {
	property resource.PropertyKey // "" when the type has no name of its own
	max      int                  // characters
	suffix   string               // appended after the digits
	lower    bool                 // in lower case
}

const autonameDigits = 7

// complete sets the name in inputs unless the program has set it. The same
// seed gives the same name.
func (a autoname) complete(r Resource, seed []byte, inputs resource.PropertyMap) error {
	if a.property == "" {
		return nil
	}
	if v, ok := inputs[a.property]; ok && !v.IsNull() {
		return nil
	}
	name, err := resource.NewUniqueName(seed, r.Name+"-", autonameDigits, a.max-len(a.suffix), nil)
	if err != nil {
		return fmt.Errorf("naming %s: %w", r.Name, err)
	}
	if a.lower {
		name = strings.ToLower(name)
	}
	inputs[a.property] = resource.NewStringProperty(name + a.suffix)
	return nil
}
