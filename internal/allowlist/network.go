package allowlist

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Networks are the networks that clients may call from, in canonical form.
// Empty: any.
type Networks []netip.Prefix

// NewNetworks returns the networks that are written, each once. The error names
// the first that is none.
func NewNetworks(written []string) (Networks, error) {
	var networks Networks
	for _, w := range written {
		network, err := CanonicalNetwork(w)
		if err != nil {
			return nil, fmt.Errorf("%q is no network: %w", w, err)
		}
		if !slices.Contains(networks, network) {
			networks = append(networks, network)
		}
	}
	return networks, nil
}

// Allow reports whether a client may call from address, as API Gateway names
// it.
func (n Networks) Allow(address string) bool {
	if len(n) == 0 {
		return true
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	canonical := parsed.Unmap().WithZone("")
	return slices.ContainsFunc(n, func(network netip.Prefix) bool { return network.Contains(canonical) })
}

// mappedBits are those that IPv6 puts before an IPv4 address.
const mappedBits = 96

// CanonicalNetwork returns a CIDR block as addresses are compared with it: one
// of IPv4-mapped IPv6 addresses is one of IPv4 addresses. Bits beyond the
// prefix are an error, since either they or the prefix is a mistake.
func CanonicalNetwork(network string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(network)
	switch {
	case err != nil && !strings.Contains(network, "/"):
		return netip.Prefix{}, errors.New("it has no prefix length")
	case err != nil:
		return netip.Prefix{}, errors.New("it is no CIDR block")
	case prefix != prefix.Masked():
		return netip.Prefix{}, errors.New("it has bits beyond the prefix")
	case prefix.Addr().Is4In6():
		return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits), nil
	default:
		return prefix, nil
	}
}
