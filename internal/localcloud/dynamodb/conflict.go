package dynamodb

import "sync"

// conflicts knows which items are being written at this moment. A transaction
// conflicts with every other write of its items; plain writes do not conflict
// with each other.
type conflicts struct {
	mu       sync.Mutex
	underWay map[string]*overlap
}

type overlap struct{ writes, transactions int }

// writing is one request's entries in conflicts.
type writing struct {
	of            *conflicts
	places        []string
	transaction   bool
	overlapping   []bool // by place: another write is under way that this one conflicts with
	anyOverlapped bool
}

// begin registers the writes of one request.
func (c *conflicts) begin(places []string, transaction bool) *writing {
	w := &writing{of: c, places: places, transaction: transaction, overlapping: make([]bool, len(places))}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, place := range places {
		at := c.underWay[place]
		if at == nil {
			at = &overlap{}
			c.underWay[place] = at
		}
		w.overlapping[i] = at.transactions > 0 || transaction && at.writes > 0
		w.anyOverlapped = w.anyOverlapped || w.overlapping[i]
		if transaction {
			at.transactions++
		} else {
			at.writes++
		}
	}
	return w
}

// end takes the request's writes out.
func (w *writing) end() {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	for _, place := range w.places {
		at := w.of.underWay[place]
		if w.transaction {
			at.transactions--
		} else {
			at.writes--
		}
		if *at == (overlap{}) {
			delete(w.of.underWay, place)
		}
	}
}

// place names an item among all tables.
func (t *table) place(k key) string {
	return t.spec.Name + "\x00" + k.partition + "\x00" + k.sort.Text
}
