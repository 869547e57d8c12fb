package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// importer makes a definition of a document. It goes on after an error, as API
// Gateway reports all of them.
type importer struct {
	doc    document
	made   definition
	errors []error
}

// importDocument reads a document as PutRestApi does in mode overwrite.
func importDocument(body, rootID string) (definition, error) {
	i := importer{made: withRoot(rootID)}
	if body == "" {
		return i.made, nil
	}
	doc, err := readDocument(body)
	if err != nil {
		return definition{}, err
	}
	i.doc, i.made.binary = doc, doc.BinaryMediaTypes
	i.made.models, err = readModels(body, doc.Components.Schemas)
	i.note(err)
	for _, step := range []func(){i.authorizers, i.gatewayResponses, i.paths} {
		step()
	}
	if len(i.errors) > 0 {
		return definition{}, badRequest("Errors found during import:\n\t%s", strings.ReplaceAll(errors.Join(i.errors...).Error(), "\n", "\n\t"))
	}
	return i.made, nil
}

func (i *importer) note(err error) {
	if err != nil {
		i.errors = append(i.errors, err)
	}
}

func (i *importer) authorizers() {
	for _, name := range slices.Sorted(maps.Keys(i.doc.Components.SecuritySchemes)) {
		z, err := readAuthorizer(i.doc.Components.SecuritySchemes[name])
		if err != nil {
			i.note(fmt.Errorf("unable to create authorizer %q: %w", name, err))
		}
		i.made.authorizers[name] = z
	}
}

// readAuthorizer refuses a scheme without an authorizer: API Gateway would let
// everybody in.
func readAuthorizer(scheme securityScheme) (authorizer, error) {
	z := authorizer{id: gateway.NewID(6), header: scheme.Name}
	if scheme.Type != "apiKey" || scheme.In != "header" || scheme.Name == "" {
		return z, fmt.Errorf("the type of a security scheme must be apiKey in a named header, got type %q in %q named %q", scheme.Type, scheme.In, scheme.Name)
	}
	if len(scheme.Authorizer) == 0 {
		return z, errors.New("it has no x-amazon-apigateway-authorizer: its methods would be open to everybody")
	}
	var object authorizerObject
	if err := readExtension(scheme.Authorizer, &object); err != nil {
		return z, err
	}
	switch {
	case object.Type == "cognito_user_pools" && scheme.AuthType == "cognito_user_pools":
		z.userPoolARNs = object.ProviderARNs
		if len(z.userPoolARNs) == 0 {
			return z, errors.New("an authorizer of type cognito_user_pools needs providerARNs")
		}
		return z, nil
	case object.Type == "request" && scheme.AuthType == "custom":
		return z, z.readRequest(object)
	default:
		return z, fmt.Errorf("the local cloud has no authorizers of type %q with authtype %q", object.Type, scheme.AuthType)
	}
}

func (z *authorizer) readRequest(object authorizerObject) (err error) {
	if object.ResultTTLSeconds == nil || *object.ResultTTLSeconds != 0 {
		return errors.New("the local cloud caches no results of authorizers: authorizerResultTtlInSeconds must be 0")
	}
	if z.functionARN, err = gateway.FunctionARN(object.AuthorizerURI); err != nil {
		return err
	}
	z.identitySources, err = parseIdentitySources(object.IdentitySource)
	return err
}

func (i *importer) gatewayResponses() {
	for _, responseType := range slices.Sorted(maps.Keys(i.doc.GatewayResponses)) {
		var object gatewayResponseObject
		err := readExtension(i.doc.GatewayResponses[responseType], &object)
		g := gatewayResponse{
			responseType: responseType, statusCode: strings.Trim(string(object.StatusCode), `"`),
			parameters: object.ResponseParameters, templates: object.ResponseTemplates,
		}
		if err == nil {
			err = g.check()
		}
		if err != nil {
			i.note(fmt.Errorf("unable to put gateway response %q: %w", responseType, err))
		}
		i.made.responses[responseType] = g
	}
}

func (i *importer) paths() {
	for _, path := range slices.Sorted(maps.Keys(i.doc.Paths)) {
		id, err := i.made.addResource(path)
		if err != nil {
			i.note(fmt.Errorf("unable to create resource at path %q: %w", path, err))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(i.doc.Paths[path])) {
			httpMethod, ok := httpMethods[name]
			if !ok {
				i.note(fmt.Errorf("member %s of path %q has no counterpart in the local cloud", name, path))
				continue
			}
			m, err := i.method(i.doc.Paths[path][name])
			if err != nil {
				i.note(fmt.Errorf("unable to put method '%s' on resource at path '%s': %w", httpMethod, path, err))
			}
			m.resourceID, m.httpMethod = id, httpMethod
			i.made.methods[methodKey{path, httpMethod}] = m
		}
	}
}

// httpMethods are the methods by the member of a path item.
var httpMethods = map[string]string{
	"get": http.MethodGet, "put": http.MethodPut, "post": http.MethodPost, "delete": http.MethodDelete,
	"options": http.MethodOptions, "head": http.MethodHead, "patch": http.MethodPatch,
	extensionPrefix + "any-method": methodAny,
}

func (i *importer) method(raw json.RawMessage) (m method, err error) {
	var o operation
	if err := json.Unmarshal(raw, &o); err != nil {
		return m, err
	}
	if m.authorizer, m.scopes, err = i.security(o); err != nil {
		return m, err
	}
	if m.validator, err = i.validator(o); err != nil {
		return m, err
	}
	if len(o.Integration) > 0 {
		m.integration, err = readIntegration(o.Integration)
	}
	return m, err
}

// security is the requirement of an operation, or else of the document. API
// Gateway takes one.
func (i *importer) security(o operation) (scheme string, scopes []string, err error) {
	requirements := i.doc.Security
	if o.Security != nil {
		requirements = *o.Security
	}
	switch {
	case len(requirements) == 0:
		return "", nil, nil
	case len(requirements) > 1 || len(requirements[0]) != 1:
		return "", nil, fmt.Errorf("a method has one authorizer, got security %v", requirements)
	}
	for scheme, scopes = range requirements[0] {
		if _, ok := i.doc.Components.SecuritySchemes[scheme]; !ok {
			return "", nil, fmt.Errorf("there is no security scheme %q", scheme)
		}
	}
	return scheme, scopes, nil
}

// Limits of an integration's time (developer guide, limits and
// response-transfer-mode).
const (
	minTimeout       = 50
	maxStreamTimeout = 15 * time.Minute
)

func readIntegration(raw json.RawMessage) (*integration, error) {
	var object integrationObject
	if err := readExtension(raw, &object); err != nil {
		return nil, fmt.Errorf("x-amazon-apigateway-integration: %w", err)
	}
	if !strings.EqualFold(object.Type, "aws_proxy") {
		return nil, fmt.Errorf("the local cloud does not serve integrations of type %q", object.Type)
	}
	if object.HTTPMethod != http.MethodPost {
		return nil, fmt.Errorf("an AWS_PROXY integration with a function needs httpMethod POST, got %q", object.HTTPMethod)
	}
	longest, read := gateway.IntegrationTimeout, gateway.FunctionARN
	switch object.ResponseTransferMode {
	case "", "BUFFERED":
	case "STREAM":
		longest, read = maxStreamTimeout, gateway.StreamedFunctionARN
	default:
		return nil, fmt.Errorf("responseTransferMode is BUFFERED or STREAM, got %q", object.ResponseTransferMode)
	}
	arn, err := read(object.URI)
	if err != nil {
		return nil, err
	}
	if t := object.TimeoutInMillis; t != 0 && (t < minTimeout || t > int(longest.Milliseconds())) {
		return nil, fmt.Errorf("timeoutInMillis should be between %d and %d, got %d", minTimeout, longest.Milliseconds(), t)
	}
	return &integration{functionARN: arn, timeoutMilliseconds: object.TimeoutInMillis, streamed: object.ResponseTransferMode == "STREAM"}, nil
}
