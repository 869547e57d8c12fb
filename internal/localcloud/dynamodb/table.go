package dynamodb

import (
	"hash/fnv"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// table holds items by partition, sorted by sort key. Items are never changed
// once stored, so that readers may keep them without a lock.
type table struct {
	spec       Spec
	indexes    []*table
	base       *table    // of the entries of an index: the table of their items
	index      IndexSpec // of the entries of an index
	created    time.Time
	partitions map[string]*partition // by the partition key's text
	order      []*partition          // for scans; nil when partitions came or went
	changes    uint64                // items stored and deleted
	recent     []change              // oldest first; their records keep previous versions
}

// change is when a record was changed.
type change struct {
	record *record
	at     time.Time
}

type partition struct {
	key     string
	hash    uint64
	records []*record
	deleted int // records without item
}

// record is one item with its previous version, which stale reads return.
type record struct {
	key        key
	item       attribute.Item // nil once deleted
	size       int
	previous   attribute.Item // nil: there was none, or no read returns it any more
	changed    time.Time
	transacted bool // a transaction wrote it
}

// key is the place of an item in a table.
type key struct {
	partition string
	sort      attribute.Value
	of        *key // of an index's entry: the key of its item
}

// compare orders the keys of one partition; without a sort key all are equal.
// Entries of an index with equal keys are ordered by their items'.
func (k key) compare(other key) int {
	if order, _ := k.sort.Compare(other.sort); order != 0 {
		return order
	}
	if k.of == nil || other.of == nil {
		return 0
	}
	if order := strings.Compare(k.of.partition, other.of.partition); order != 0 {
		return order
	}
	return k.of.compare(*other.of)
}

func newTable(spec Spec) *table {
	return &table{spec: spec, created: time.Now(), partitions: map[string]*partition{}}
}

func nameOf(nameOrARN string) string {
	return nameOrARN[strings.LastIndex(nameOrARN, "/")+1:]
}

// DynamoDB's limits of keys, in bytes.
const (
	maxHashKey  = 2048
	maxRangeKey = 1024
)

// keyOf returns the key of an item.
func (t *table) keyOf(item attribute.Item) (key, *awsapi.Error) {
	hash, refusal := keyValue(item, t.spec.HashKey, maxHashKey)
	if refusal != nil || t.spec.RangeKey.Name == "" {
		return key{partition: hash.Text}, refusal
	}
	sortValue, refusal := keyValue(item, t.spec.RangeKey, maxRangeKey)
	return key{partition: hash.Text, sort: sortValue}, refusal
}

func keyValue(item attribute.Item, k Key, most int) (attribute.Value, *awsapi.Error) {
	value, ok := item[k.Name]
	switch {
	case !ok:
		return value, invalid("One or more parameter values were invalid: Missing the key " + k.Name + " in the item")
	case value.Kind != k.Kind:
		return value, invalid("One or more parameter values were invalid: Type mismatch for key " + k.Name + " expected: " + string(k.Kind) + " actual: " + string(value.Kind))
	case value.Text == "":
		return value, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: " + k.Name)
	case len(value.Text) > most:
		return value, invalid("One or more parameter values were invalid: Size of key " + k.Name + " has exceeded the maximum size limit")
	}
	return value, nil
}

// exactKey returns the key that a request gives, which must be nothing else.
func (t *table) exactKey(given attribute.Item) (key, *awsapi.Error) {
	if len(given) != len(t.keys()) {
		return key{}, invalid("The provided key element does not match the schema")
	}
	k, refusal := t.keyOf(given)
	if refusal == nil && t.base != nil {
		var of key
		of, refusal = t.base.keyOf(given)
		k.of = &of
	}
	if refusal != nil && strings.Contains(refusal.Message, "Missing the key") {
		return key{}, invalid("The provided key element does not match the schema")
	}
	return k, refusal
}

func (t *table) keyAttributes(item attribute.Item) attribute.Item {
	given := attribute.Item{}
	for _, k := range t.keys() {
		given[k.Name] = item[k.Name]
	}
	return given
}

// keys are the key attributes, of an index those of its table included.
func (t *table) keys() []Key {
	keys := []Key{t.spec.HashKey}
	if t.spec.RangeKey.Name != "" {
		keys = append(keys, t.spec.RangeKey)
	}
	if t.base == nil {
		return keys
	}
	for _, k := range t.base.keys() {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func (t *table) isKey(name string) bool {
	return slices.ContainsFunc(t.keys(), func(k Key) bool { return k.Name == name })
}

func (t *table) schema() []map[string]string {
	schema := []map[string]string{{"AttributeName": t.spec.HashKey.Name, "KeyType": "HASH"}}
	if t.spec.RangeKey.Name != "" {
		schema = append(schema, map[string]string{"AttributeName": t.spec.RangeKey.Name, "KeyType": "RANGE"})
	}
	return schema
}

// find returns the record at k, nil if nothing was ever there.
func (t *table) find(k key) *record {
	p := t.partitions[k.partition]
	if p == nil {
		return nil
	}
	if i, found := p.position(k); found {
		return p.records[i]
	}
	return nil
}

func (p *partition) position(k key) (int, bool) {
	return sort.Find(len(p.records), func(i int) int { return k.compare(p.records[i].key) })
}

// current returns the item of a record that may be nil.
func (r *record) current() attribute.Item {
	if r == nil {
		return nil
	}
	return r.item
}

// store puts item, or nil to delete, at k.
func (t *table) store(k key, item attribute.Item, transacted bool, now time.Time) {
	p := t.partitions[k.partition]
	if p == nil {
		if item == nil {
			return
		}
		p = newPartition(k.partition)
		t.partitions[k.partition] = p
		t.order = nil
	}
	i, found := p.position(k)
	if !found {
		if item == nil {
			return
		}
		p.records = slices.Insert(p.records, i, &record{key: k})
		p.deleted++ // counted down below
	}
	r := p.records[i]
	t.changes++
	switch {
	case r.item == nil && item != nil:
		p.deleted--
	case r.item != nil && item == nil:
		p.deleted++
	}
	r.previous, r.item, r.size, r.changed = r.item, item, item.Size(), now
	r.transacted = r.transacted || transacted
	for _, index := range t.indexes {
		index.follow(k, r.previous, item, transacted, now)
	}
	t.release(now)
	t.recent = append(t.recent, change{r, now})
	t.compact(p, now)
}

// release drops the previous versions that are too old for stale reads.
func (t *table) release(now time.Time) {
	for len(t.recent) > 0 && now.Sub(t.recent[0].at) >= staleWindow {
		if c := t.recent[0]; c.record.changed.Equal(c.at) {
			c.record.previous = nil
		}
		t.recent = t.recent[1:]
	}
}

// maxDeleted is how many deleted records a partition keeps for stale reads
// before those past their time are dropped.
const maxDeleted = 16

func (t *table) compact(p *partition, now time.Time) {
	if p.deleted <= maxDeleted {
		return
	}
	p.records = slices.DeleteFunc(p.records, func(r *record) bool {
		gone := r.item == nil && now.Sub(r.changed) > staleWindow
		if gone {
			p.deleted--
		}
		return gone
	})
	if len(p.records) == 0 {
		delete(t.partitions, p.key)
		t.order = nil
	}
}

func newPartition(key string) *partition {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(key)) // never fails
	return &partition{key: key, hash: hash.Sum64()}
}

// scanOrder returns the partitions by hash. The caller holds the write lock.
func (t *table) scanOrder() []*partition {
	if t.order == nil {
		t.order = make([]*partition, 0, len(t.partitions))
		for _, p := range t.partitions {
			t.order = append(t.order, p)
		}
		slices.SortFunc(t.order, comparePartitions)
	}
	return t.order
}

func comparePartitions(a, b *partition) int {
	switch {
	case a.hash < b.hash:
		return -1
	case a.hash > b.hash:
		return 1
	}
	return strings.Compare(a.key, b.key)
}

func (t *table) count() (items, size int) {
	for _, p := range t.partitions {
		for _, r := range p.records {
			if r.item != nil {
				items++
				size += r.size
			}
		}
	}
	return items, size
}
