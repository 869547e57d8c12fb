package authorizer

import (
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
)

// Bounds of the memory of owners.
const (
	ownerMaxAge = 5 * time.Minute
	maxOwners   = 10_000
)

// owners remembers the last that the user pool said of the owners of keys, for
// the time when it does not answer: its quota of calls is small, and shared by
// everything in the account. The zero value knows nobody.
type owners struct {
	mu    sync.Mutex
	known map[string]knownOwner
}

type knownOwner struct {
	user directory.User
	at   time.Time
}

func (o *owners) remember(username string, user directory.User, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= maxOwners {
		o.known = map[string]knownOwner{}
	}
	o.known[username] = knownOwner{user, now}
}

func (o *owners) forget(username string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.known, username)
}

// recall returns what was said of a user no longer than ownerMaxAge ago.
func (o *owners) recall(username string, now time.Time) (directory.User, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	owner, ok := o.known[username]
	return owner.user, ok && now.Sub(owner.at) <= ownerMaxAge
}
