// Package schema holds the JSON Schemas (draft 2020-12) of every body of the
// REST API and every frame of the WebSocket API, for clients in other
// languages and for tests. The $id of each is "urn:streaming-service:schema:"
// and the name of its file without ".schema.json".
package schema

import "embed"

// Files holds the schemas, one *.schema.json file each.
//
//go:embed *.schema.json
var Files embed.FS
