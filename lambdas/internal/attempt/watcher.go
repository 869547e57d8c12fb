package attempt

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// watchEvery is how often the records of all running attempts are looked at: a
// cancellation is seen within a second.
const watchEvery = 700 * time.Millisecond

// records reads many records at once. Reads may be stale.
type records interface {
	Records(ctx context.Context, keys []life.Key) (map[life.Key]life.Record, error)
}

// watcher reads the records of all attempts of the process in one call, for as
// long as there are any.
type watcher struct {
	store records
	log   *slog.Logger

	mu       sync.Mutex
	watched  map[int]watched
	next     int
	watching bool
}

type watched struct {
	key    life.Key
	notify func(life.Record)
}

func newWatcher(store records, log *slog.Logger) *watcher {
	return &watcher{store: store, log: log, watched: map[int]watched{}}
}

// watch calls notify with the record, every now and then, until the returned
// function is called.
func (w *watcher) watch(record life.Record, notify func(life.Record)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.next
	w.next++
	w.watched[id] = watched{record.Key, notify}
	if !w.watching {
		w.watching = true
		go w.loop()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watched, id)
	}
}

func (w *watcher) loop() {
	for {
		time.Sleep(watchEvery)
		list, keys := w.snapshot()
		if len(list) == 0 {
			return
		}
		found, err := w.read(keys)
		if err != nil {
			w.log.Warn("cannot read the records of running attempts", "error", err)
			continue
		}
		for _, one := range list {
			if record, ok := found[one.key]; ok {
				one.notify(record)
			}
		}
	}
}

// snapshot lists what is watched. An empty list ends the loop.
func (w *watcher) snapshot() ([]watched, []life.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]watched, 0, len(w.watched))
	keys := make([]life.Key, 0, len(w.watched))
	seen := make(map[life.Key]bool, len(w.watched))
	for _, one := range w.watched {
		list = append(list, one)
		if !seen[one.key] {
			seen[one.key] = true
			keys = append(keys, one.key)
		}
	}
	w.watching = len(list) > 0
	return list, keys
}

func (w *watcher) read(keys []life.Key) (map[life.Key]life.Record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return w.store.Records(ctx, keys)
}
