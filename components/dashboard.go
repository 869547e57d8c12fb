package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

func (b *build) newDashboard() error {
	b.dashboard = pulumi.String("").ToStringOutput()
	return nil
}
