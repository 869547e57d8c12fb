package dynamodb

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// snapshotVersion is of the form of a snapshot.
const snapshotVersion = 1

// snapshot is the items of all tables.
type snapshot struct {
	Version int                         `json:"version"`
	Tables  map[string][]attribute.Item `json:"tables"`
}

// expiredLag is how long after its time to live DynamoDB deletes an item at the
// latest, typically.
const expiredLag = 48 * time.Hour

// Snapshot writes the items of all tables as JSON, as of one moment. Items whose
// time to live ended two days ago are left out.
func (s *Service) Snapshot(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(snapshot{snapshotVersion, s.allItems()}); err != nil {
		return fmt.Errorf("writing snapshot of tables: %w", err)
	}
	return nil
}

func (s *Service) allItems() map[string][]attribute.Item {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// Restore reads a snapshot into the declared tables. It returns the names of
// tables that are no longer declared, whose items are dropped.
func (s *Service) Restore(r io.Reader) (dropped []string, err error) {
	var read snapshot
	if err := json.NewDecoder(r).Decode(&read); err != nil {
		return nil, fmt.Errorf("reading snapshot of tables: %w", err)
	}
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
