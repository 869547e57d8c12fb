//go:build !release

package main

import "embed"

// embedded reports whether this binary holds the functions.
const embedded = false

var zips embed.FS
