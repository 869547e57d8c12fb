package protocol

import _ "embed"

// OpenAPI is the OpenAPI 3.0 document of the REST API, as GET /openapi.json
// serves it. It is made of the operations in components/operations.go and the
// schemas in protocol/schema:
//
//	go test ./components -run TestOpenAPI -args -update
//
//go:embed openapi.json
var OpenAPI []byte
