package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/stack"
)

// mutation is one thing that the program forgets to declare, or gets wrong. It
// reports whether the resource is still made, and whether it was the one meant.
type mutation func(r provision.Resource, inputs resource.PropertyMap) (keep, applied bool)

// brokenCloud starts a cloud without a piece of the declared service. A mutation
// that meets nothing fails the test: it would show nothing.
func brokenCloud(t *testing.T, m mutation, overrides ...string) *localcloudtest.Harness {
	t.Helper()
	h, err := openBroken(t, m, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func openBroken(t *testing.T, m mutation, overrides ...string) (*localcloudtest.Harness, error) {
	t.Helper()
	o := options(overrides...)
	met := false
	o.Alter = func(r provision.Resource, inputs resource.PropertyMap) bool {
		keep, applied := m(r, inputs)
		met = met || applied
		return keep
	}
	h, err := localcloudtest.Open(t.Context(), o)
	if err == nil {
		t.Cleanup(func() { _ = h.Cloud.Close() })
	}
	if !met {
		t.Error("the mutation met no resource of the program")
	}
	return h, err
}

// logical is the name of a part of the service in the program.
func logical(part string) string { return stack.ServiceName + "-" + part }

// drop leaves parts out.
func drop(names ...string) mutation {
	return func(r provision.Resource, _ resource.PropertyMap) (keep, applied bool) {
		for _, name := range names {
			if r.Name == logical(name) {
				return false, true
			}
		}
		return true, false
	}
}

// change edits the inputs of one part.
func change(name string, edit func(inputs resource.PropertyMap)) mutation {
	return func(r provision.Resource, inputs resource.PropertyMap) (keep, applied bool) {
		if r.Name != logical(name) {
			return true, false
		}
		edit(inputs)
		return true, true
	}
}

// document edits the OpenAPI document of the REST API. The edit reports whether
// it met what it meant.
func document(edit func(doc map[string]any) (applied bool)) mutation {
	return func(r provision.Resource, inputs resource.PropertyMap) (keep, applied bool) {
		if r.Name != logical("rest-api") || !inputs["body"].IsString() {
			return true, false
		}
		var doc map[string]any
		if json.Unmarshal([]byte(inputs["body"].StringValue()), &doc) != nil {
			return true, false
		}
		applied = edit(doc)
		inputs["body"] = resource.NewStringProperty(marshal(doc))
		return true, applied
	}
}

// dropFrom leaves members out of an object of the document, found by the names
// that lead to it.
func dropFrom(place []string, names ...string) mutation {
	return document(func(doc map[string]any) (applied bool) {
		for _, name := range place {
			doc, _ = doc[name].(map[string]any)
		}
		for _, name := range names {
			_, there := doc[name]
			applied = applied || there
			delete(doc, name)
		}
		return applied
	})
}

// dropMethod leaves a method of a path out of the document.
func dropMethod(path, method string) mutation { return dropFrom([]string{"paths", path}, method) }

// forbid takes an action away from a role's policy: on every resource whose ARN
// contains part.
func forbid(policy, action, part string) mutation {
	return func(r provision.Resource, inputs resource.PropertyMap) (keep, applied bool) {
		if r.Name != logical(policy) {
			return true, false
		}
		var document struct {
			Version   string
			Statement []map[string]any
		}
		if json.Unmarshal([]byte(inputs["policy"].StringValue()), &document) != nil {
			return true, false
		}
		for _, statement := range document.Statement {
			if !strings.Contains(marshal(statement["Resource"]), part) {
				continue
			}
			var left []any
			for _, a := range statement["Action"].([]any) {
				if a == action {
					applied = true
				} else {
					left = append(left, a)
				}
			}
			if len(left) == 0 {
				left = []any{"logs:PutLogEvents"} // a statement needs an action
			}
			statement["Action"] = left
		}
		inputs["policy"] = resource.NewStringProperty(marshal(document))
		return true, applied
	}
}

// unset takes an environment variable away from a function.
func unset(function, variable string) mutation {
	return func(r provision.Resource, inputs resource.PropertyMap) (keep, applied bool) {
		if r.Name != logical(function) {
			return true, false
		}
		variables := inputs["environment"].ObjectValue()["variables"].ObjectValue()
		_, applied = variables[resource.PropertyKey(variable)]
		delete(variables, resource.PropertyKey(variable))
		return true, applied
	}
}

func marshal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
