package dynamodb

import (
	"fmt"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// The projections of an index.
const (
	projectAll      = "ALL"
	projectKeys     = "KEYS_ONLY"
	projectIncluded = "INCLUDE"
)

// maxIndexes is DynamoDB's quota of global secondary indexes of a table.
const maxIndexes = 20

// IndexSpec declares a global secondary index.
type IndexSpec struct {
	Name             string
	HashKey          Key
	RangeKey         Key    // Name "" if there is none
	Projection       string // ALL, KEYS_ONLY or INCLUDE
	NonKeyAttributes []string
}

// ARN returns the ARN of the index on the table of that name.
func (i IndexSpec) ARN(table string) string { return ARN(table) + "/index/" + i.Name }

func (i *IndexSpec) validate() *awsapi.Error {
	switch {
	case !tableName.MatchString(i.Name):
		return invalid("IndexName must be at least 3 characters long and at most 255 characters long, of a-z, A-Z, 0-9, '_', '-' and '.'")
	case i.HashKey.Name == "":
		return invalid("No Hash Key specified in schema. All Dynamo DB Tables must have exactly one hash key")
	case i.Projection != projectAll && i.Projection != projectKeys && i.Projection != projectIncluded:
		return invalid("One or more parameter values were invalid: Unknown ProjectionType: " + i.Projection)
	case (i.Projection == projectIncluded) != (len(i.NonKeyAttributes) > 0):
		return invalid("One or more parameter values were invalid: NonKeyAttributes must be specified if and only if ProjectionType is INCLUDE")
	}
	return validateKeys(&i.HashKey, &i.RangeKey)
}

// newIndex makes the table of an index's entries. An entry has the key of the
// index, which need not be unique, and remembers the key of its item.
func newIndex(base *table, spec IndexSpec) *table {
	entries := newTable(Spec{Name: base.spec.Name, HashKey: spec.HashKey, RangeKey: spec.RangeKey})
	entries.base, entries.index = base, spec
	return entries
}

// declareIndexes makes the indexes of a table those of its spec: a new one takes
// in the items that are there.
func (t *table) declareIndexes() {
	kept := t.indexes
	t.indexes = nil
	for _, spec := range t.spec.Indexes {
		same := slices.IndexFunc(kept, func(x *table) bool { return x.index.same(spec) })
		if same >= 0 {
			t.indexes = append(t.indexes, kept[same])
			continue
		}
		added := newIndex(t, spec)
		for _, p := range t.partitions {
			for _, r := range p.records {
				added.follow(r.key, nil, r.item, false, time.Time{})
			}
		}
		t.indexes = append(t.indexes, added)
	}
}

func (i IndexSpec) same(other IndexSpec) bool {
	return i.Name == other.Name && i.HashKey == other.HashKey && i.RangeKey == other.RangeKey &&
		i.Projection == other.Projection && slices.Equal(i.NonKeyAttributes, other.NonKeyAttributes)
}

// entry is what an index holds of an item; ok is false if the item lacks a key
// of the index, which is how an index is sparse.
func (t *table) entry(of key, item attribute.Item) (k key, entry attribute.Item, ok bool) {
	hash, ok := item[t.spec.HashKey.Name]
	if !ok {
		return key{}, nil, false
	}
	k = key{partition: hash.Text, of: &of}
	if name := t.spec.RangeKey.Name; name != "" {
		if k.sort, ok = item[name]; !ok {
			return key{}, nil, false
		}
	}
	return k, t.projected(item), true
}

func (t *table) projected(item attribute.Item) attribute.Item {
	if t.index.Projection == projectAll {
		return item
	}
	entry := t.keyAttributes(item)
	for _, name := range t.index.NonKeyAttributes {
		if value, ok := item[name]; ok {
			entry[name] = value
		}
	}
	return entry
}

// follow brings an index up to date with a change of an item.
func (t *table) follow(of key, before, after attribute.Item, transacted bool, now time.Time) {
	oldKey, oldEntry, was := t.entry(of, before)
	newKey, newEntry, is := t.entry(of, after)
	stays := is && newKey.partition == oldKey.partition && newKey.compare(oldKey) == 0
	if was && !stays {
		t.store(oldKey, nil, transacted, now)
		oldEntry = nil
	}
	if is && !newEntry.Equal(oldEntry) {
		t.store(newKey, newEntry, transacted, now)
	}
}

// indexUnits is what a change of an item costs in an index: an entry that comes
// or goes is one write, one that moves is two, one that stays as it is none.
func (t *table) indexUnits(before, after attribute.Item) float64 {
	oldKey, oldEntry, was := t.entry(key{}, before)
	newKey, newEntry, is := t.entry(key{}, after)
	switch {
	case was && is && oldKey.partition == newKey.partition && oldKey.compare(newKey) == 0:
		if newEntry.Equal(oldEntry) {
			return 0
		}
		return ceilUnits(written(oldEntry, newEntry), writeUnit)
	case was && is:
		return ceilUnits(oldEntry.Size(), writeUnit) + ceilUnits(newEntry.Size(), writeUnit)
	case was:
		return ceilUnits(oldEntry.Size(), writeUnit)
	case is:
		return ceilUnits(newEntry.Size(), writeUnit)
	}
	return 0
}

// checkIndexKeys refuses an item whose attribute cannot be the key of an index.
func (t *table) checkIndexKeys(item attribute.Item) *awsapi.Error {
	for _, index := range t.indexes {
		for _, k := range []Key{index.spec.HashKey, index.spec.RangeKey} {
			value, ok := item[k.Name]
			switch {
			case !ok:
			case value.Kind != k.Kind:
				return invalid(fmt.Sprintf("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", k.Name, k.Kind, value.Kind, index.index.Name))
			case value.Text == "":
				return invalid(fmt.Sprintf("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: %s, IndexKey: %s", index.index.Name, k.Name))
			}
		}
	}
	return nil
}

// tableOrIndex finds what a query or scan reads.
func (s *Service) tableOrIndex(nameOrARN, index string) (*table, *awsapi.Error) {
	t, refusal := s.table(nameOrARN)
	if refusal != nil || index == "" {
		return t, refusal
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, entries := range t.indexes {
		if entries.index.Name == index {
			return entries, nil
		}
	}
	return nil, invalid("The table does not have the specified index: " + index)
}

// checkIndexRead refuses what no index can answer.
func (r *search) checkIndexRead() *awsapi.Error {
	if r.IndexName == "" {
		if r.Select == "ALL_PROJECTED_ATTRIBUTES" {
			return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
		return nil
	}
	partial := r.table.index.Projection != projectAll
	switch {
	case r.ConsistentRead:
		return invalid("Consistent reads are not supported on global secondary indexes")
	case r.Select == "ALL_ATTRIBUTES" && partial:
		return invalid("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index " + r.IndexName + " because its projection type is not ALL")
	}
	for _, path := range r.keep {
		if partial && !r.table.isKey(path.Top()) && !slices.Contains(r.table.index.NonKeyAttributes, path.Top()) {
			return invalid("One or more parameter values were invalid: Global secondary index " + r.IndexName + " does not project [" + path.Top() + "]")
		}
	}
	return nil
}

func (t *table) describedIndexes() []map[string]any {
	var described []map[string]any
	for _, index := range t.indexes {
		projection := map[string]any{"ProjectionType": index.index.Projection}
		if len(index.index.NonKeyAttributes) > 0 {
			projection["NonKeyAttributes"] = index.index.NonKeyAttributes
		}
		items, size := index.count()
		described = append(described, map[string]any{
			"IndexName": index.index.Name, "IndexArn": index.index.ARN(t.spec.Name), "IndexStatus": "ACTIVE",
			"KeySchema": index.schema(), "Projection": projection, "ItemCount": items, "IndexSizeBytes": size,
		})
	}
	return described
}
