package restapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// document is what an import reads of an OpenAPI document.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title   string `json:"title"`
		Version string `json:"version"`
	} `json:"info"`
	Paths      map[string]pathItem `json:"paths"`
	Components struct {
		Schemas         map[string]json.RawMessage `json:"schemas"`
		SecuritySchemes map[string]securityScheme  `json:"securitySchemes"`
	} `json:"components"`
	Security          []map[string][]string      `json:"security"`
	GatewayResponses  map[string]json.RawMessage `json:"x-amazon-apigateway-gateway-responses"`
	RequestValidators map[string]json.RawMessage `json:"x-amazon-apigateway-request-validators"`
	RequestValidator  string                     `json:"x-amazon-apigateway-request-validator"`
	BinaryMediaTypes  []string                   `json:"x-amazon-apigateway-binary-media-types"`
}

// pathItem holds the operations of a path by their lower-case method, or by
// the extension for ANY.
type pathItem map[string]json.RawMessage

type operation struct {
	Security         *[]map[string][]string `json:"security"`
	Parameters       []parameter            `json:"parameters"`
	RequestBody      requestBody            `json:"requestBody"`
	Responses        map[string]response    `json:"responses"`
	Integration      json.RawMessage        `json:"x-amazon-apigateway-integration"`
	RequestValidator string                 `json:"x-amazon-apigateway-request-validator"`
}

type parameter struct {
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
}

type requestBody struct {
	Content map[string]mediaType `json:"content"`
}

type response struct {
	Content map[string]mediaType `json:"content"`
}

type mediaType struct {
	Schema struct {
		Ref string `json:"$ref"`
	} `json:"schema"`
}

type securityScheme struct {
	Type       string          `json:"type"`
	In         string          `json:"in"`
	Name       string          `json:"name"`
	AuthType   string          `json:"x-amazon-apigateway-authtype"`
	Authorizer json.RawMessage `json:"x-amazon-apigateway-authorizer"`
}

// The extensions as objects. A member that is not here is an error.
type (
	integrationObject struct {
		Type                 string `json:"type"`
		HTTPMethod           string `json:"httpMethod"`
		URI                  string `json:"uri"`
		ResponseTransferMode string `json:"responseTransferMode"`
		TimeoutInMillis      int    `json:"timeoutInMillis"`
		PassthroughBehavior  string `json:"passthroughBehavior"` // of no effect on proxies
	}
	authorizerObject struct {
		Type             string   `json:"type"`
		ProviderARNs     []string `json:"providerARNs"`
		AuthorizerURI    string   `json:"authorizerUri"`
		IdentitySource   string   `json:"identitySource"`
		ResultTTLSeconds *int     `json:"authorizerResultTtlInSeconds"`
	}
	gatewayResponseObject struct {
		StatusCode         json.RawMessage   `json:"statusCode"` // text or number
		ResponseParameters map[string]string `json:"responseParameters"`
		ResponseTemplates  map[string]string `json:"responseTemplates"`
	}
	validatorObject struct {
		Body       bool `json:"validateRequestBody"`
		Parameters bool `json:"validateRequestParameters"`
	}
)

// readExtension reads an extension that has no other members than its struct.
func readExtension(raw json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return fmt.Errorf("member %s has no counterpart in the local cloud", field)
		}
		return err
	}
	return nil
}

func readDocument(body string) (document, error) {
	var doc document
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		return doc, badRequest("Invalid OpenAPI input: %v", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return doc, badRequest("Invalid OpenAPI input: the local cloud imports OpenAPI 3.0, got version %q", doc.OpenAPI)
	}
	if doc.Info.Title == "" || doc.Info.Version == "" {
		return doc, badRequest("Invalid OpenAPI input: info needs a title and a version, got %q and %q", doc.Info.Title, doc.Info.Version)
	}
	return doc, checkExtensions(body)
}
