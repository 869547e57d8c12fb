// Package provision makes the resources that a Pulumi program declares real in
// the local cloud. It is a table from resource type token to what creates,
// updates and deletes such a resource in the service that owns it, with two
// front ends: Monitor, to which the program talks directly when there is no
// Pulumi engine, and Server, the provider "aws" of a real engine.
//
// Nothing is ignored silently: a type that the table does not hold, and a
// property that its type does not list, is an error that names it. What has no
// effect on one machine, such as tags and alarms, is listed as such.
package provision
