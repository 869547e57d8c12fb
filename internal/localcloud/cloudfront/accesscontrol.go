package cloudfront

import (
	"fmt"
	"slices"
)

// OriginAccessControl says how requests to an origin are signed.
type OriginAccessControl struct {
	ID              string // made when empty
	Name            string // unique, at most 64 characters
	OriginType      string // s3
	SigningBehavior string // always, never or no-override
	SigningProtocol string // sigv4
	ETag            string // made
}

// maxControlName is from the API reference of OriginAccessControlConfig, in
// characters.
const maxControlName = 64

func (c OriginAccessControl) validate() error {
	switch {
	case c.Name == "" || len([]rune(c.Name)) > maxControlName:
		return refuse("InvalidArgument", fmt.Sprintf("name must have 1 to %d characters, got %q", maxControlName, c.Name))
	case !slices.Contains([]string{"always", "never", "no-override"}, c.SigningBehavior):
		return refuse("InvalidArgument", fmt.Sprintf("signingBehavior must be always, never or no-override, got %q", c.SigningBehavior))
	case c.SigningProtocol != "sigv4":
		return refuse("InvalidArgument", fmt.Sprintf("signingProtocol must be sigv4, got %q", c.SigningProtocol))
	case c.OriginType != "s3":
		return fmt.Errorf("originAccessControlOriginType must be s3 in the local cloud, got %q", c.OriginType)
	}
	return nil
}

// PutOriginAccessControl declares or replaces an origin access control.
func (s *Service) PutOriginAccessControl(c OriginAccessControl) (OriginAccessControl, error) {
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("putting origin access control %s: %w", c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, other := range s.controls {
		if id != c.ID && other.Name == c.Name {
			return c, fmt.Errorf("putting origin access control %s: %w", c.Name,
				refuse("OriginAccessControlAlreadyExists", "An origin access control with the specified parameters already exists."))
		}
	}
	if c.ID == "" {
		c.ID = newID()
	}
	c.ETag = newID()
	s.controls[c.ID] = c
	return c, nil
}

// DeleteOriginAccessControl removes an origin access control that no
// distribution uses.
func (s *Service) DeleteOriginAccessControl(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.distributions {
		if slices.ContainsFunc(d.Origins, func(o Origin) bool { return o.AccessControlID == id }) {
			return fmt.Errorf("deleting origin access control %s: %w", id,
				refuse("OriginAccessControlInUse", "Cannot delete the origin access control because it's in use by one or more distributions."))
		}
	}
	delete(s.controls, id)
	return nil
}
