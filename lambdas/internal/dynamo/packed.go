package dynamo

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/protocol"
)

// packed is the attribute of an item that holds the others, compressed: DynamoDB
// charges a write by the kilobyte, and the conversation that a request brings is
// text, more of it with every turn.
const packed = "packed"

// writeUnit is what one unit writes, and unpackedBytes is more than an item has
// outside of what is packed.
const (
	writeUnit     = 1 << 10
	unpackedBytes = 200
)

// pack returns an item with the attributes, or with one that holds them all where
// that saves a unit. Bytes, which images and documents are, stay as they are, and
// whatever is beside them.
func pack(attributes item) item {
	plain, ok := plainMap(attributes)
	if !ok {
		return attributes
	}
	encoded := protocol.Encode(plain)
	if units(len(encoded)) == 1 {
		return attributes
	}
	data := compress(encoded)
	if units(len(data)) >= units(len(encoded)) {
		return attributes
	}
	return item{packed: &types.AttributeValueMemberB{Value: data}}
}

func units(size int) int { return (size + unpackedBytes + writeUnit - 1) / writeUnit }

// unpack returns an item with the attributes that pack was given.
func unpack(i item) (item, error) {
	data := getBytes(i, packed)
	if data == nil {
		return i, nil
	}
	decoder := json.NewDecoder(flate.NewReader(bytes.NewReader(data)))
	decoder.UseNumber()
	var plain map[string]any
	if err := decoder.Decode(&plain); err != nil {
		return nil, fmt.Errorf("unpacking an item: %w", err)
	}
	unpacked := maps.Clone(i)
	maps.Copy(unpacked, attributesOf(plain))
	return unpacked, nil
}

// compressors are kept: one has a megabyte of tables.
var compressors = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // a level that there is
	return w
}}

func compress(data []byte) []byte {
	w := compressors.Get().(*flate.Writer) //nolint:errcheck,forcetypeassert // nothing else is put there
	defer compressors.Put(w)
	var compressed bytes.Buffer
	w.Reset(&compressed)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return compressed.Bytes()
}

// plainMap is attributes as JSON knows them, if it knows all of them.
func plainMap(attributes item) (map[string]any, bool) {
	plain := make(map[string]any, len(attributes))
	for name, v := range attributes {
		var ok bool
		if plain[name], ok = plainValue(v); !ok {
			return nil, false
		}
	}
	return plain, true
}

func plainValue(v types.AttributeValue) (any, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, true
	case *types.AttributeValueMemberN:
		return json.Number(v.Value), true
	case *types.AttributeValueMemberBOOL:
		return v.Value, true
	case *types.AttributeValueMemberM:
		return plainMap(v.Value)
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for n, member := range v.Value {
			var ok bool
			if list[n], ok = plainValue(member); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

func attributesOf(plain map[string]any) item {
	attributes := make(item, len(plain))
	for name, v := range plain {
		attributes[name] = attributeOf(v)
	}
	return attributes
}

func attributeOf(plain any) types.AttributeValue {
	switch v := plain.(type) {
	case string:
		return text(v)
	case json.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case bool:
		return boolean(v)
	case map[string]any:
		return &types.AttributeValueMemberM{Value: attributesOf(v)}
	case []any:
		list := make([]types.AttributeValue, len(v))
		for n, member := range v {
			list[n] = attributeOf(member)
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}
