package restapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// models are the schemas of the API by name.
type models map[string]*jsonschema.Schema

const modelPrefix = "#/components/schemas/"

// modelName is what a model may be called (api-gateway-known-issues).
var modelName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// modelKeywords are those of draft 4 that models have beyond doubt. The
// developer guide lists others as not supported (api-gateway-known-issues), and
// an unknown one, such as example, fails the import.
var modelKeywords = []string{
	"$ref", "title", "description", "type", "enum", "properties", "required", "items",
	"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
}

func readModels(body string, schemas map[string]json.RawMessage) (models, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	if err := compiler.AddResource("api.json", doc); err != nil {
		return nil, err
	}
	made := models{}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		var schema any
		if err := json.Unmarshal(schemas[name], &schema); err != nil {
			return nil, err
		}
		unsupported := unsupportedKeywords(schema)
		if !modelName.MatchString(name) || len(unsupported) > 0 {
			return nil, fmt.Errorf("unable to create model for '%s': Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified. Unsupported keyword(s): %q]", name, unsupported)
		}
		if made[name], err = compiler.Compile("api.json" + modelPrefix + name); err != nil {
			return nil, fmt.Errorf("unable to create model for '%s': %w", name, err)
		}
	}
	return made, nil
}

func unsupportedKeywords(node any) (found []string) {
	schema, _ := node.(map[string]any)
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		switch {
		case !slices.Contains(modelKeywords, keyword):
			found = append(found, keyword)
		case keyword == "items":
			found = append(found, unsupportedKeywords(schema[keyword])...)
		case keyword == "properties":
			properties, _ := schema[keyword].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(properties)) {
				found = append(found, unsupportedKeywords(properties[name])...)
			}
		}
	}
	return found
}

// validator is what is checked before a function is called.
type validator struct {
	headers, query []string                      // that must be there
	bodies         map[string]*jsonschema.Schema // by content type
}

// validator reads what the document's request validators ask of an operation,
// and that its models exist.
func (i *importer) validator(o operation) (v validator, err error) {
	bodies := map[string]*jsonschema.Schema{}
	for contentType, media := range o.RequestBody.Content {
		if bodies[contentType], err = i.model(media); err != nil {
			return v, err
		}
	}
	for _, r := range o.Responses {
		for _, media := range r.Content {
			if _, err := i.model(media); err != nil {
				return v, err
			}
		}
	}
	name := o.RequestValidator
	if name == "" {
		name = i.doc.RequestValidator
	}
	if name == "" {
		return v, nil
	}
	raw, ok := i.doc.RequestValidators[name]
	if !ok {
		return v, fmt.Errorf("there is no request validator %q", name)
	}
	var object validatorObject
	if err := readExtension(raw, &object); err != nil {
		return v, fmt.Errorf("request validator %q: %w", name, err)
	}
	if object.Parameters {
		v.require(o.Parameters)
	}
	if object.Body {
		v.bodies = bodies
	}
	return v, nil
}

func (v *validator) require(parameters []parameter) {
	for _, p := range parameters {
		switch {
		case !p.Required:
		case p.In == "header":
			v.headers = append(v.headers, p.Name)
		case p.In == "query":
			v.query = append(v.query, p.Name)
		}
	}
}

// model is the model of a body; nil without one.
func (i *importer) model(media mediaType) (*jsonschema.Schema, error) {
	if media.Schema.Ref == "" {
		return nil, nil
	}
	name := strings.TrimPrefix(media.Schema.Ref, modelPrefix)
	if _, ok := i.doc.Components.Schemas[name]; !ok {
		return nil, fmt.Errorf("invalid model identifier specified: %s", media.Schema.Ref)
	}
	return i.made.models[name], nil
}

// validate applies the method's validator. A blank parameter counts as missing,
// and a body of a content type without a model is not looked at.
func validate(q *request) *failure {
	v := q.route.method.validator
	var missing []string
	for _, name := range v.headers {
		if value, _ := gateway.Value(q.fields, name); strings.TrimSpace(value) == "" {
			missing = append(missing, name)
		}
	}
	for _, name := range v.query {
		if strings.TrimSpace(q.http.URL.Query().Get(name)) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return &failure{"BAD_REQUEST_PARAMETERS", http.StatusBadRequest, "BadRequestException", "Missing required request parameters: [" + strings.Join(missing, ", ") + "]", false}
	}
	contentType, _ := gateway.Value(q.fields, "Content-Type")
	if contentType == "" {
		contentType = "application/json"
	}
	contentType, _, _ = strings.Cut(contentType, ";")
	schema := v.bodies[strings.TrimSpace(contentType)]
	if schema == nil {
		return nil
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(q.body))
	if err != nil || schema.Validate(body) != nil {
		return &failureInvalidBody
	}
	return nil
}
