package sockets

import "time"

// Post makes one call and tries nothing again.
var Post = (*Sockets).post

// Delete makes one call and tries nothing again.
var Delete = (*Sockets).close

// SetClock has calls signed by now.
func (s *Sockets) SetClock(now func() time.Time) { s.api.client.SetClock(now) }
