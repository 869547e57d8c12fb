package components

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"github.com/streaming-service/streaming-service/internal/allowlist"
)

// canonicalForms bring the lists that callers are compared with to the form in
// which they are compared. The lists are valid.
var canonicalForms = map[string]func([]string) []string{
	"auth.allowedOrigins": canonicalOrigins,
	"auth.allowedCidrs":   canonicalNetworks,
}

func canonicalOrigins(written []string) []string {
	origins, _ := allowlist.NewOrigins(written)
	return origins
}

func canonicalNetworks(written []string) []string {
	networks, _ := allowlist.NewNetworks(written)
	list := make([]string, len(networks))
	for i, network := range networks {
		list[i] = network.String()
	}
	return list
}

func origin(v any) string {
	s, _ := v.(string)
	if _, err := allowlist.CanonicalOrigin(s); err == nil {
		return ""
	}
	return "must be origins as browsers send them, such as " + likelyOrigin(s)
}

// likelyOrigin is the origin that was probably meant: without a path or a dot
// at the end, and with the host in punycode.
func likelyOrigin(written string) string {
	const example = "https://app.example.com"
	u, err := url.Parse(strings.TrimSpace(written))
	if err != nil {
		return example
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), "."))
	if err != nil {
		return example
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	origin, err := allowlist.CanonicalOrigin(u.Scheme + "://" + host)
	if err != nil {
		return example
	}
	return origin
}

func cidr(v any) string {
	s, _ := v.(string)
	if _, err := allowlist.CanonicalNetwork(s); err == nil {
		return ""
	}
	return "must be networks such as " + likelyNetwork(s) + ", with no bit set beyond the prefix"
}

// likelyNetwork is the network that was probably meant: that of the prefix, or
// the one address.
func likelyNetwork(written string) string {
	written = strings.TrimSpace(written)
	if address, err := netip.ParseAddr(written); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()).String()
	}
	if prefix, err := netip.ParsePrefix(written); err == nil {
		if network, err := allowlist.CanonicalNetwork(prefix.Masked().String()); err == nil {
			return network.String()
		}
	}
	return "203.0.113.0/24"
}
