// Package engine tests the component through the real Pulumi engine: the CLI is
// built from its Go module, drives inline programs through the automation API
// with its state in a directory, and finds the local cloud in the place of the
// provider "aws". Nothing here needs an account or a network beyond the
// registries of Go, npm and PyPI.
//
//	go test ./...                     all of it, a few minutes
//	go test -short ./...              without what builds or installs other programs
//	go test -run TestUpdates -update  also rewrites docs/updates.md
package engine
