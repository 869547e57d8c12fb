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

// cost is the capacity that a request consumed, by table.
type cost map[string]units

type units struct{ read, write float64 }

func (c cost) addRead(table string, size int, factor float64) {
	u := c[table]
	u.read += factor * ceilUnits(size, readUnit)
	c[table] = u
}

func (c cost) addWrite(table string, size int, factor float64) {
	u := c[table]
	u.write += factor * ceilUnits(size, writeUnit)
	c[table] = u
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
	TableName          string      `json:"TableName"`
	CapacityUnits      float64     `json:"CapacityUnits"`
	ReadCapacityUnits  float64     `json:"ReadCapacityUnits,omitempty"`
	WriteCapacityUnits float64     `json:"WriteCapacityUnits,omitempty"`
	Table              *tableUnits `json:"Table,omitempty"`
}

type tableUnits struct {
	CapacityUnits float64 `json:"CapacityUnits"`
}

// shown returns the cost by table, or nil if it was not asked for.
func (c cost) shown(asked string) []capacity {
	if asked != "TOTAL" && asked != "INDEXES" {
		return nil
	}
	shown := make([]capacity, 0, len(c))
	for _, name := range slices.Sorted(maps.Keys(c)) {
		one := capacity{TableName: name, CapacityUnits: c[name].read + c[name].write}
		if asked == "INDEXES" {
			one.Table = &tableUnits{one.CapacityUnits}
		}
		shown = append(shown, one)
	}
	return shown
}

// shownOne is shown for operations on one table.
func (c cost) shownOne(asked string) *capacity {
	if all := c.shown(asked); len(all) > 0 {
		return &all[0]
	}
	return nil
}

func (c cost) total() units {
	var total units
	for _, u := range c {
		total.read += u.read
		total.write += u.write
	}
	return total
}
