package dynamodb

import (
	"fmt"
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// snapshotVersion is of the form of a snapshot.
const snapshotVersion = 1

// Snapshot is the items of all tables, as JSON holds them.
type Snapshot struct {
	Version int                         `json:"version"`
	Tables  map[string][]attribute.Item `json:"tables"`
}

// expiredLag is how long after its time to live DynamoDB deletes an item at the
// latest, typically.
const expiredLag = 48 * time.Hour

// Snapshot returns the items of all tables as of one moment. Items whose time to
// live ended two days ago are left out. meanwhile, unless nil, runs at that
// moment: it takes what must agree with the tables.
func (s *Service) Snapshot(meanwhile func()) Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	return Snapshot{snapshotVersion, s.allItems()}
}

// Changes counts the writes since the start: as long as it stays, so does the
// snapshot.
func (s *Service) Changes() (changes uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.tables {
		changes += t.changes
	}
	return changes
}

func (s *Service) allItems() map[string][]attribute.Item {
	tables := map[string][]attribute.Item{}
	for name, t := range s.tables {
		items := []attribute.Item{}
		for _, p := range t.scanOrder() {
			for _, r := range p.records {
				if r.item != nil && !t.longExpired(r.item) {
					items = append(items, r.item)
				}
			}
		}
		tables[name] = items
	}
	return tables
}

func (t *table) longExpired(item attribute.Item) bool {
	value, ok := item[t.spec.TTLAttribute]
	if t.spec.TTLAttribute == "" || !ok || value.Kind != attribute.Number {
		return false
	}
	seconds, err := strconv.ParseInt(value.Text, 10, 64)
	return err == nil && time.Since(time.Unix(seconds, 0)) > expiredLag
}

// Restore puts a snapshot into the declared tables. It returns the names of
// tables that are no longer declared, whose items are dropped.
func (s *Service) Restore(read Snapshot) (dropped []string, err error) {
	if read.Version != snapshotVersion {
		return nil, fmt.Errorf("reading snapshot of tables: version must be %d, got %d", snapshotVersion, read.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, items := range read.Tables {
		t, declared := s.tables[name]
		if !declared {
			dropped = append(dropped, name)
			continue
		}
		for _, item := range items {
			k, refusal := t.keyOf(item)
			if refusal != nil {
				return nil, fmt.Errorf("reading snapshot of table %s: %w", name, refusal)
			}
			t.store(k, item, false, time.Time{})
		}
	}
	return dropped, nil
}
