package provision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// noEffect is the type of an input property that is accepted for its meaning
// on AWS and changes nothing on one machine.
type noEffect struct{}

// UnmarshalJSON accepts any value.
func (*noEffect) UnmarshalJSON([]byte) error { return nil }

// decode reads the properties of a resource into the struct of its type, whose
// json tags are the property names. A property without a field is an error.
func decode[I any](properties resource.PropertyMap) (I, error) {
	var inputs I
	plain, err := plainMap(properties)
	if err != nil {
		return inputs, err
	}
	encoded, err := json.Marshal(plain)
	if err != nil {
		return inputs, fmt.Errorf("reading properties: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&inputs); err != nil {
		return inputs, explain(err)
	}
	return inputs, nil
}

// explain turns a decoding error into one about a property.
func explain(err error) error {
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return fmt.Errorf("property %s has no counterpart in the local cloud", field)
	}
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("property %q cannot be a %s", wrongType.Field, wrongType.Value)
	}
	return fmt.Errorf("reading properties: %w", err)
}

// plainMap drops the absent properties and what Pulumi wraps around values.
func plainMap(properties resource.PropertyMap) (map[string]any, error) {
	plain := make(map[string]any, len(properties))
	for key, value := range properties {
		if strings.HasPrefix(string(key), "__") {
			continue // written by Pulumi itself, such as __defaults
		}
		v, err := plainValue(value)
		if err != nil {
			return nil, fmt.Errorf("property %q: %w", key, err)
		}
		if v != nil {
			plain[string(key)] = v
		}
	}
	return plain, nil
}

func plainValue(value resource.PropertyValue) (any, error) {
	switch {
	case value.IsNull():
		return nil, nil
	case value.IsSecret():
		return plainValue(value.SecretValue().Element)
	case value.IsOutput():
		if !value.OutputValue().Known {
			return nil, errors.New("the value is not known yet")
		}
		return plainValue(value.OutputValue().Element)
	case value.IsComputed():
		return nil, errors.New("the value is not known yet")
	case value.IsArchive():
		path, _ := value.ArchiveValue().GetPath()
		return path, nil // none in the state of an engine, which keeps the hash alone
	case value.IsArray():
		return plainArray(value.ArrayValue())
	case value.IsObject():
		return plainMap(value.ObjectValue())
	case value.IsBool(), value.IsNumber(), value.IsString():
		return value.V, nil
	default:
		return nil, fmt.Errorf("a value of type %s has no counterpart in the local cloud", value.TypeString())
	}
}

func plainArray(values []resource.PropertyValue) ([]any, error) {
	plain := make([]any, len(values))
	for i, value := range values {
		v, err := plainValue(value)
		if err != nil {
			return nil, err
		}
		plain[i] = v
	}
	return plain, nil
}
