package localcloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/atomicfile"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

// Pauses between two saves: short, as a killed cloud forgets what came since the
// last, but long against the time that a save of much data takes.
const (
	shortestPause = 200 * time.Millisecond
	longestPause  = 5 * time.Second
	pauseOfSaving = 20 // times as long as the save took
)

// store keeps the state of services in files of a directory.
type store struct {
	dir  string
	lock *os.File

	mu   sync.Mutex
	last map[string][sha256.Size]byte // by file, the sum of what was written last
	seen changes                      // of the data that was written last
}

// Files of the store.
const (
	usersFile = "users.json"
	dataFile  = "tables.json" // and messages and objects: all of one moment, so in one file
	bodiesDir = "objects"     // what is in the objects, by its sum
)

// data is what dataFile holds. A message is sent after its record is written and
// deleted after its record has ended, here as when both were killed at once.
type data struct {
	dynamodb.Snapshot

	Queues  sqs.Snapshot `json:"queues,omitempty"`
	Objects s3.Snapshot  `json:"objects,omitempty"`
}

// changes tell whether data is worth a look.
type changes struct{ tables, queues, objects uint64 }

// openStore takes the data directory, if one is asked for.
func (c *Cloud) openStore(context.Context) error {
	if c.options.DataDir == "" {
		return nil
	}
	dir, err := filepath.Abs(c.options.DataDir)
	if err != nil {
		return fmt.Errorf("finding data directory: %w", err)
	}
	c.options.DataDir = dir
	c.store, err = openStore(dir, c.options.Stack)
	return err
}

// openStore takes the part of a data directory that belongs to a stack.
func openStore(dir, stack string) (*store, error) {
	place := filepath.Join(dir, stack)
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, fmt.Errorf("using data directory %s: %w", dir, bare(err))
	}
	lock, err := os.OpenFile(filepath.Join(place, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("using data directory %s: %w", dir, bare(err))
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("using data directory %s: another local cloud uses it", dir)
	}
	return &store{dir: place, lock: lock, last: map[string][sha256.Size]byte{}}, nil
}

// bare drops the path from a file error, where the message names it already.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// restoreUsers gives the user pools what was saved of them. A pool takes its
// part over when the program declares it.
func (c *Cloud) restoreUsers(context.Context) error {
	return c.store.read(usersFile, c.services.users.Restore)
}

// restoreData fills the tables, queues and buckets that the program has declared: the
// tables first, as event source mappings poll the queues already.
func (c *Cloud) restoreData(context.Context) error {
	return c.store.read(dataFile, func(state []byte) error {
		var saved data
		if err := json.Unmarshal(state, &saved); err != nil {
			return fmt.Errorf("reading tables, queues and objects: %w", err)
		}
		dropped, err := c.services.tables.Restore(saved.Snapshot)
		if len(dropped) > 0 {
			c.options.Logger.Warn("saved tables are no longer declared; their items are dropped", "tables", dropped)
		}
		if err != nil {
			return err
		}
		if dropped := c.services.queues.Restore(saved.Queues); len(dropped) > 0 {
			c.options.Logger.Warn("saved queues are no longer declared; their messages are dropped", "queues", dropped)
		}
		dropped, err = c.services.buckets.Restore(saved.Objects, c.store.body)
		if len(dropped) > 0 {
			c.options.Logger.Warn("saved buckets are no longer declared; their objects are dropped", "buckets", dropped)
		}
		return err
	})
}

// read hands what was saved in a file to restore, if anything was.
func (s *store) read(file string, restore func([]byte) error) error {
	if s == nil {
		return nil
	}
	path := filepath.Join(s.dir, file)
	state, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = restore(state)
	}
	if err != nil {
		return fmt.Errorf("restoring %s (move it away to start anew): %w", path, bare(err))
	}
	return nil
}

// save writes the state of the services that changed.
func (s *store) save(services *services) error {
	users, err := services.users.Snapshot()
	if err != nil {
		return fmt.Errorf("saving users: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.write(usersFile, users), s.saveData(services))
}

// saveData writes tables, queues and objects if any of them changed. A change that comes
// between the look and the snapshot is written twice.
func (s *store) saveData(services *services) error {
	now := changes{services.tables.Changes(), services.queues.Changes(), services.buckets.Changes()}
	if _, written := s.last[dataFile]; written && now == s.seen {
		return nil
	}
	var moment data
	var bodies map[string][]byte
	moment.Snapshot = services.tables.Snapshot(func() {
		moment.Queues = services.queues.Snapshot()
		moment.Objects, bodies = services.buckets.Snapshot()
	})
	var state bytes.Buffer
	encoder := json.NewEncoder(&state)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(moment); err != nil {
		return fmt.Errorf("saving tables, queues and objects: %w", err)
	}
	if err := s.addBodies(bodies); err != nil {
		return err
	}
	if err := s.write(dataFile, state.Bytes()); err != nil {
		return err
	}
	s.seen = now
	return s.dropBodies(bodies)
}

// write replaces a file unless it holds the state already.
func (s *store) write(file string, state []byte) error {
	sum := sha256.Sum256(state)
	if s.last[file] == sum {
		return nil
	}
	if err := atomicfile.Replace(filepath.Join(s.dir, file), state); err != nil {
		return fmt.Errorf("saving data: %w", err)
	}
	s.last[file] = sum
	return nil
}

func (s *store) close() { _ = s.lock.Close() }

// keepData saves the data now and then until the cloud closes.
func (c *Cloud) keepData(context.Context) error {
	if c.store == nil {
		return nil
	}
	if err := c.store.save(c.services); err != nil {
		return err
	}
	stop, done := make(chan struct{}), make(chan struct{})
	c.stopKeeping = func() { close(stop); <-done }
	go func() {
		defer close(done)
		for pause := shortestPause; ; {
			select {
			case <-stop:
				return
			case <-time.After(pause):
			}
			begun := time.Now()
			if err := c.store.save(c.services); err != nil {
				c.options.Logger.Error("saving data", "error", err)
			}
			pause = min(max(pauseOfSaving*time.Since(begun), shortestPause), longestPause)
		}
	}()
	return nil
}
