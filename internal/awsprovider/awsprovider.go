// Package awsprovider names the provider that makes the service's resources.
package awsprovider

// Version is that of pulumi-aws for which the component is written, as go.mod
// requires it, and whose resource types the local cloud knows.
const Version = "6.83.2"
