package dynamodb

import (
	"maps"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// What one capacity unit is, in bytes.
const (
	writeUnit = 1024
	readUnit  = 4096
)

// transactional is the factor of reads and writes in transactions.
const transactional = 2

// cost is the capacity that a request consumed, by table and index.
type cost map[consumer]units

// consumer is a table, or one of its indexes.
type consumer struct{ table, index string }

type units struct{ read, write float64 }

func (c cost) addRead(t *table, size int, factor float64) {
	c.add(consumer{t.spec.Name, t.index.Name}, units{read: factor * ceilUnits(size, readUnit)})
}

func (c cost) addWrite(t *table, size int, factor float64) {
	c.add(consumer{t.spec.Name, ""}, units{write: factor * ceilUnits(size, writeUnit)})
}

// addIndexes charges the indexes of a table for a change that was made. They
// follow the table on their own, so a transaction does not double it (AWS's
// pages do not say so in as many words).
func (c cost) addIndexes(t *table, before, after attribute.Item) {
	for _, index := range t.indexes {
		if n := index.indexUnits(before, after); n > 0 {
			c.add(consumer{t.spec.Name, index.index.Name}, units{write: n})
		}
	}
}

func (c cost) add(to consumer, more units) {
	u := c[to]
	u.read += more.read
	u.write += more.write
	c[to] = u
}

func ceilUnits(size, unit int) float64 { return float64(max(1, (size+unit-1)/unit)) }

// readFactor is what a read costs of a strongly consistent one.
func readFactor(consistent bool) float64 {
	if consistent {
		return 1
	}
	return 0.5
}

// written is the size that a write is charged by: the larger of before and after.
func written(before, after attribute.Item) int { return max(before.Size(), after.Size()) }

// capacity is the answer's form of a cost.
type capacity struct {
	TableName          string    `json:"TableName"`
	CapacityUnits      float64   `json:"CapacityUnits"`
	ReadCapacityUnits  float64   `json:"ReadCapacityUnits,omitempty"`
	WriteCapacityUnits float64   `json:"WriteCapacityUnits,omitempty"`
	Table              *oneUnits `json:"Table,omitempty"`

	GlobalSecondaryIndexes map[string]oneUnits `json:"GlobalSecondaryIndexes,omitempty"`
}

// oneUnits is the part of a table or of one index.
type oneUnits struct {
	CapacityUnits float64 `json:"CapacityUnits"`
}

// shown returns the cost by table, or nil if it was not asked for.
func (c cost) shown(asked string) []capacity {
	if asked != "TOTAL" && asked != "INDEXES" {
		return nil
	}
	tables := map[string]*capacity{}
	for from, used := range c {
		one := tables[from.table]
		if one == nil {
			one = &capacity{TableName: from.table}
			tables[from.table] = one
		}
		one.add(from.index, used, asked == "INDEXES")
	}
	shown := make([]capacity, 0, len(tables))
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		shown = append(shown, *tables[name])
	}
	return shown
}

// add adds what a table, or its index, used.
func (c *capacity) add(index string, used units, detailed bool) {
	total := used.read + used.write
	c.CapacityUnits += total
	switch {
	case !detailed:
	case index == "":
		c.Table = &oneUnits{total}
	default:
		if c.GlobalSecondaryIndexes == nil {
			c.GlobalSecondaryIndexes = map[string]oneUnits{}
		}
		c.GlobalSecondaryIndexes[index] = oneUnits{total}
	}
}

// shownOne is shown for operations on one table.
func (c cost) shownOne(asked string) *capacity {
	if all := c.shown(asked); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// total is what all tables and indexes used, and what of it indexes wrote.
func (c cost) total() (all units, indexWrites float64) {
	for from, u := range c {
		all.read += u.read
		all.write += u.write
		if from.index != "" {
			indexWrites += u.write
		}
	}
	return all, indexWrites
}
