package components

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

// Longest names, in characters, of what the component names itself; the rest
// is named by Pulumi, from logical names that are short enough. Sources: the
// API references of CloudWatch (PutDashboard, Dimension) and of Amazon Cognito
// identity pools (CreateIdentityPool).
const (
	longestDashboard    = 255
	longestDimension    = 1024
	longestIdentityPool = 128
)

// What such names cannot have.
var (
	notInDashboards    = regexp.MustCompile(`[^A-Za-z0-9_-]`)
	notInDimensions    = regexp.MustCompile(`[^!-~]`)
	notInIdentityPools = regexp.MustCompile(`[^\w+=,.@-]`)
)

// qualified is a name that differs between the projects and stacks of an
// account, for what Pulumi does not name by itself: dashboards of one name
// overwrite each other, and metrics of one dimension add up.
func (b *build) qualified() string {
	return b.ctx.Project() + "-" + b.name + "-" + b.ctx.Stack()
}

func (b *build) dashboardName() string {
	return fitting(b.qualified(), notInDashboards, longestDashboard)
}

// serviceName is the dimension of the functions' metrics.
func (b *build) serviceName() string {
	return fitting(b.qualified(), notInDimensions, longestDimension)
}

// identityPoolName is for people; identity pools may share a name.
func (b *build) identityPoolName() string {
	return fitting(b.name+"-"+b.ctx.Stack(), notInIdentityPools, longestIdentityPool)
}

// fitting returns name if AWS takes it. Otherwise it is cut and without the
// refused characters, and ends in a hash that tells it from others that look
// the same now.
func fitting(name string, refused *regexp.Regexp, longest int) string {
	cleaned := refused.ReplaceAllString(name, "-")
	if cleaned == name && len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := "-" + hex.EncodeToString(sum[:4])
	return cleaned[:min(len(cleaned), longest-len(hash))] + hash
}
