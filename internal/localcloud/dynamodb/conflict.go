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
	of          *conflicts
	places      []string
	transaction bool
	overlapping []bool // by place, of a rejected request: another write is under way there
	rejected    bool   // it conflicts, and so holds no place against others
}

// begin registers the writes of one request. If another write is under way that
// they conflict with, reject decides whether this one loses.
func (c *conflicts) begin(places []string, transaction bool, reject func() bool) *writing {
	w := &writing{of: c, places: places, transaction: transaction, overlapping: make([]bool, len(places))}
	c.mu.Lock()
	defer c.mu.Unlock()
	overlaps := false
	for i, place := range places {
		at := c.underWay[place]
		w.overlapping[i] = at != nil && (at.transactions > 0 || transaction && at.writes > 0)
		overlaps = overlaps || w.overlapping[i]
	}
	if overlaps && reject() {
		w.rejected = true
		return w
	}
	for _, place := range places {
		if c.underWay[place] == nil {
			c.underWay[place] = &overlap{}
		}
		c.underWay[place].add(transaction, 1)
	}
	return w
}

func (o *overlap) add(transaction bool, n int) {
	if transaction {
		o.transactions += n
	} else {
		o.writes += n
	}
}

// end takes the request's writes out.
func (w *writing) end() {
	if w.rejected {
		return
	}
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	for _, place := range w.places {
		at := w.of.underWay[place]
		at.add(w.transaction, -1)
		if *at == (overlap{}) {
			delete(w.of.underWay, place)
		}
	}
}

// conflictsAt tells whether the request lost to another write at a place.
func (w *writing) conflictsAt(i int) bool { return w.rejected && w.overlapping[i] }

// place names an item among all tables.
func (t *table) place(k key) string {
	return t.spec.Name + "\x00" + k.partition + "\x00" + k.sort.Text
}
