// Package web holds the browser client and the chat page that is built on it,
// as sources: HTML, CSS and ES modules. Package build makes the page of them
// that is served. The page reads where its service is from config.json beside
// it, which the local cloud serves and which a deployment uploads with the
// outputs of its stack.
package web

import (
	"embed"
	"io/fs"
)

// The tests in test/ are no part of the page.
//
//go:embed index.html *.css *.js *.svg lib/*.js chat/*.js
//go:embed third_party/*/*.js third_party/*/*.mjs
var files embed.FS

// Files returns the sources of the page; index.html is at its root.
func Files() fs.FS { return files }
