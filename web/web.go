// Package web holds the browser client and the chat page that is built on it:
// plain files of HTML, CSS and ES modules, served as they are. The page reads
// where its service is from config.json beside it, which the local cloud
// serves and which a deployment uploads with the outputs of its stack.
package web

import (
	"embed"
	"io/fs"
)

// The tests in test/ are no part of what is served.
//
//go:embed index.html *.css *.js *.svg lib/*.js chat/*.js
var files embed.FS

// Files returns the files of the page; index.html is at its root.
func Files() fs.FS { return files }
