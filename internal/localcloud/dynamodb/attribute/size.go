package attribute

import "strings"

// MaxItemSize is DynamoDB's limit of an item, names included, in bytes.
const MaxItemSize = 400 * 1024

// maxDepth is how deep lists and maps may be nested.
const maxDepth = 32

// Size is what an item counts against the limit and in capacity units.
func (i Item) Size() int {
	size := 0
	for name, value := range i {
		size += len(name) + value.Size()
	}
	return size
}

// Size is what a value counts.
func (v Value) Size() int {
	switch v.Kind {
	case String, Binary:
		return len(v.Text)
	case Number:
		return numberSize(v.Text)
	case Bool, Null:
		return 1
	case NumberSet:
		size := 0
		for _, element := range v.Set {
			size += numberSize(element)
		}
		return size
	case StringSet, BinarySet:
		size := 0
		for _, element := range v.Set {
			size += len(element)
		}
		return size
	case List:
		size := 3
		for _, element := range v.List {
			size += 1 + element.Size()
		}
		return size
	}
	return 3 + len(v.Members) + Item(v.Members).Size()
}

// numberSize is one byte per two significant digits, plus one, plus one for a sign.
func numberSize(text string) int {
	digits := strings.Trim(strings.Replace(strings.TrimPrefix(text, "-"), ".", "", 1), "0")
	size := (len(digits)+1)/2 + 1
	if strings.HasPrefix(text, "-") {
		size++
	}
	return size
}

// CheckDepth refuses nesting that DynamoDB refuses.
func (i Item) CheckDepth() error {
	for _, value := range i {
		if value.depth() > maxDepth {
			return &Invalid{"Nesting Levels have exceeded supported limits"}
		}
	}
	return nil
}

func (v Value) depth() int {
	deepest := 0
	for _, element := range v.List {
		deepest = max(deepest, element.depth())
	}
	for _, member := range v.Members {
		deepest = max(deepest, member.depth())
	}
	if v.Kind == List || v.Kind == Map {
		return deepest + 1
	}
	return 0
}

// Length is DynamoDB's size(): bytes of text, or the number of elements; ok is
// false for kinds without one.
func (v Value) Length() (n int, ok bool) {
	switch {
	case v.Kind == String || v.Kind == Binary:
		return len(v.Text), true
	case v.IsSet():
		return len(v.Set), true
	case v.Kind == List:
		return len(v.List), true
	case v.Kind == Map:
		return len(v.Members), true
	}
	return 0, false
}
