package localcloud

import (
	"fmt"
	"strings"
)

// Welcome tells an operator how to use a cloud that is ready.
func (c *Cloud) Welcome() string {
	signIn := ""
	if c.demo.name != "" {
		signIn = fmt.Sprintf("  sign in   %s with password %s\n", c.demo.name, c.demo.password)
	}
	return fmt.Sprintf(`
  open      %[3]s
%[2]s  use AWS   export AWS_ENDPOINT_URL=%[1]s AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  stop      Ctrl-C

`, c.URL(), signIn, strings.Join(c.sites(nil).urls(), " "))
}
