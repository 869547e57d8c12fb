// Package allowlist says which callers a list of origins or networks means.
// What the deployer writes and what a caller sends are brought to one canonical
// form, by the same code at preview, over REST and on the socket, so that a
// setting that is accepted also matches.
package allowlist

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Origins are the origins that browsers may call from, in canonical form.
// Empty: any.
type Origins []string

// NewOrigins returns the origins that are written, each once. The error names
// the first that is none.
func NewOrigins(written []string) (Origins, error) {
	var origins Origins
	for _, w := range written {
		origin, err := CanonicalOrigin(w)
		if err != nil {
			return nil, fmt.Errorf("%q is no origin: %w", w, err)
		}
		if !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins, nil
}

// With returns the origins and one more. None, which allow any, stay none, and
// what is no origin adds nothing.
func (o Origins) With(origin string) Origins {
	canonical, err := CanonicalOrigin(origin)
	if len(o) == 0 || err != nil || slices.Contains(o, canonical) {
		return o
	}
	return append(slices.Clone(o), canonical)
}

// Allow reports whether a browser may call from origin, as its header has it.
func (o Origins) Allow(origin string) bool {
	if len(o) == 0 {
		return true
	}
	canonical, err := CanonicalOrigin(origin)
	return err == nil && slices.Contains(o, canonical)
}

// CanonicalOrigin returns an origin as browsers send it (RFC 6454 section 6.2,
// with the hosts of the URL standard): scheme and host in lower case, no port
// that is the scheme's default, IPv6 addresses in their shortest form. What
// names no origin, or could only be guessed to, is an error.
func CanonicalOrigin(origin string) (string, error) {
	if strings.ContainsFunc(origin, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("it has characters that no origin has")
	}
	u, err := url.Parse(origin)
	if err != nil {
		return "", errors.New("it is no URL")
	}
	scheme := strings.ToLower(u.Scheme)
	defaultPort, ok := defaultPorts[scheme]
	switch {
	case !ok:
		return "", errors.New("its scheme is neither https nor http")
	case !strings.EqualFold(origin, scheme+"://"+u.Host):
		return "", errors.New("it has more than a scheme, a host and a port")
	}
	host, err := canonicalHost(u)
	if err != nil {
		return "", err
	}
	port, err := canonicalPort(u)
	if err != nil {
		return "", err
	}
	if port == "" || port == defaultPort {
		return scheme + "://" + host, nil
	}
	return scheme + "://" + host + ":" + port, nil
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

// hostName is a name as DNS and browsers have it: no dot at the end, where it
// would be another origin, and no letter that must be written as punycode.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// numeric is a last label that makes browsers read a host as an IPv4 address.
var numeric = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)

func canonicalHost(u *url.URL) (string, error) {
	host := strings.ToLower(u.Hostname())
	if strings.HasPrefix(u.Host, "[") {
		address, err := netip.ParseAddr(host)
		if err != nil || !address.Is6() || address.Zone() != "" {
			return "", errors.New("its host is no IPv6 address")
		}
		return "[" + shortest(address) + "]", nil
	}
	if numeric.MatchString(host) {
		if address, err := netip.ParseAddr(host); err != nil || !address.Is4() {
			return "", errors.New("its host is no IPv4 address")
		}
		return host, nil
	}
	if len(host) > 253 || !hostName.MatchString(host) {
		return "", errors.New("its host is no domain name")
	}
	return host, nil
}

// shortest is an IPv6 address as the URL standard writes it: that has no dotted
// quad at the end of an IPv4-mapped address.
func shortest(address netip.Addr) string {
	if !address.Is4In6() {
		return address.String()
	}
	b := address.As16()
	return fmt.Sprintf("::ffff:%x:%x", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15]))
}

func canonicalPort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		if strings.HasSuffix(u.Host, ":") {
			return "", errors.New("its port is empty")
		}
		return "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("its port is not between 1 and 65535")
	}
	return strconv.FormatUint(n, 10), nil
}
