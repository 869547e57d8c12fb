package components

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// snapshot is what a deployment of the REST API contains: the resources, and
// the properties that can change without changing a resource's id.
type snapshot struct {
	resources []pulumi.Resource
	contents  pulumi.StringArray
}

// add makes the deployment depend on a resource and on its contents.
func (s *snapshot) add(resource pulumi.Resource, contents ...pulumi.StringInput) {
	s.resources = append(s.resources, resource)
	for _, c := range contents {
		s.contents = append(s.contents, c)
	}
}

// hash changes whenever the contents do.
func (s *snapshot) hash() pulumi.StringOutput {
	return s.contents.ToStringArrayOutput().ApplyT(func(contents []string) (string, error) {
		encoded, err := json.Marshal(contents)
		if err != nil {
			return "", fmt.Errorf("encoding contents of the deployment: %w", err)
		}
		sum := sha256.Sum256(encoded)
		return hex.EncodeToString(sum[:]), nil
	}).(pulumi.StringOutput)
}
