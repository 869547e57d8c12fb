//go:build release

package main

import "embed"

// embedded reports whether this binary holds the functions.
const embedded = true

//go:embed archives
var zips embed.FS
