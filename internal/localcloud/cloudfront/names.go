package cloudfront

import "strings"

// Origin returns the origin of the pages of a distribution: that of its first
// alias, if it has any, as its own name is then only what the alias points to.
func (d Distribution) Origin() string {
	if len(d.Aliases) > 0 {
		return "https://" + strings.ToLower(d.Aliases[0])
	}
	return "https://" + d.DomainName
}

// HasName tells whether a host name, without a port, is one of a distribution.
func (d Distribution) HasName(host string) bool {
	host = strings.ToLower(host)
	if host == d.DomainName {
		return true
	}
	for _, alias := range d.Aliases {
		alias = strings.ToLower(alias)
		_, below, _ := strings.Cut(host, ".")
		if host == alias || strings.HasPrefix(alias, "*.") && alias[2:] == below {
			return true
		}
	}
	return false
}
