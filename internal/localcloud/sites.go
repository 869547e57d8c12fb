package localcloud

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
)

// sites serve the distributions that the program declares. On AWS each has a
// name of its own and TLS; here the first, by the name of its resource, is at the
// cloud's address, and each is at the first label of its name below localhost,
// such as http://d111111abcdef8.localhost:8080. For all behind it, a page of a
// site is still one of https://d111111abcdef8.cloudfront.net, or of its alias:
// the local cloud plays that name as it plays TLS.
type sites struct {
	service *cloudfront.Service
	cloud   func() string // URL of the cloud
	machine machine
	none    http.Handler // serves where there is no distribution
}

// sites returns what serves the distributions, and the rest where there is none.
func (c *Cloud) sites(none http.Handler) *sites {
	return &sites{service: c.services.sites, cloud: c.URL, machine: c.machine(), none: none}
}

// ServeHTTP serves the distribution that the request names.
func (s *sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, ok := s.find(r.Host)
	if !ok {
		s.none.ServeHTTP(w, r)
		return
	}
	s.service.Serve(d, &headerEditor{ResponseWriter: w, edit: s.openToThisMachine}, r)
}

// find returns the distribution that a Host header names: the first, unless it
// names another.
func (s *sites) find(host string) (cloudfront.Distribution, bool) {
	served := s.service.Enabled()
	if len(served) == 0 {
		return cloudfront.Distribution{}, false
	}
	name := hostName(host)
	i := slices.IndexFunc(served, func(d cloudfront.Distribution) bool { return d.HasName(name) || name == localName(d) })
	return served[max(i, 0)], true
}

// localName is the name of a distribution on this machine.
func localName(d cloudfront.Distribution) string {
	label, _, _ := strings.Cut(d.DomainName, ".")
	return label + ".localhost"
}

// urls are the addresses of the distributions on this machine, or the cloud's
// own without any.
func (s *sites) urls() []string {
	urls := []string{s.cloud()}
	for i, d := range s.service.Enabled() {
		if i > 0 {
			urls = append(urls, s.url(i, d))
		}
	}
	return urls
}

func (s *sites) url(i int, d cloudfront.Distribution) string {
	if i == 0 {
		return s.cloud()
	}
	cloud, _ := url.Parse(s.cloud()) // made of an address
	return "http://" + net.JoinHostPort(localName(d), cloud.Port())
}

// local returns the URL on this machine of what a URL on AWS names, if it is one
// of a distribution.
func (s *sites) local(address string) string {
	rest, ok := strings.CutPrefix(address, "https://")
	if !ok {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	for i, d := range s.service.Enabled() {
		if d.HasName(host) {
			return strings.TrimSuffix(s.url(i, d)+"/"+path, "/")
		}
	}
	return address
}

// asDeployed hands on the requests that pages of a site send with the origin that
// these have on AWS, and lets the pages read the answers.
func (s *sites) asDeployed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		deployed, ok := s.deployedOrigin(origin, r.Host)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		const allowed = "Access-Control-Allow-Origin"
		back := func(h http.Header) {
			if h.Get(allowed) == deployed {
				h.Set(allowed, origin)
			}
		}
		next.ServeHTTP(&headerEditor{ResponseWriter: w, edit: back}, rawheader.With(r, "Origin", deployed))
	})
}

// deployedOrigin is the origin on AWS of a page that came from here: from the
// port that the request goes to, or the cloud's own, under a name of this
// machine.
func (s *sites) deployedOrigin(origin, host string) (string, bool) {
	page, err := url.Parse(origin)
	if err != nil || page.Scheme != "http" || !s.machine.has(page.Host) {
		return "", false
	}
	cloud, _ := url.Parse(s.cloud()) // made of an address
	if !strings.EqualFold(page.Host, host) && page.Port() != cloud.Port() {
		return "", false
	}
	d, ok := s.find(page.Host)
	return d.Origin(), ok
}

// openToThisMachine lets a page whose policy names endpoints on AWS reach those
// here, which are all at the cloud's address.
func (s *sites) openToThisMachine(h http.Header) {
	const header = "Content-Security-Policy"
	directives := strings.Split(h.Get(header), ";")
	for i, directive := range directives {
		if sources := strings.Fields(directive); len(sources) > 0 && strings.EqualFold(sources[0], "connect-src") {
			directives[i] = withLocal(directive, sources, s.cloud())
		}
	}
	if policy := strings.Join(directives, ";"); policy != "" {
		h.Set(header, policy)
	}
}

// withLocal adds the cloud to the sources of a directive, for each scheme that
// they have.
func withLocal(directive string, sources []string, cloud string) string {
	for _, scheme := range []struct{ deployed, local string }{{"https://", "http://"}, {"wss://", "ws://"}} {
		if slices.ContainsFunc(sources, func(source string) bool { return strings.HasPrefix(source, scheme.deployed) }) {
			directive += " " + scheme.local + strings.TrimPrefix(cloud, "http://")
		}
	}
	return directive
}

// headerEditor changes the header of an answer before it is sent.
type headerEditor struct {
	http.ResponseWriter
	edit func(http.Header)
	sent bool
}

// WriteHeader implements http.ResponseWriter.
func (e *headerEditor) WriteHeader(status int) {
	if !e.sent && status >= http.StatusOK {
		e.sent = true
		e.edit(e.Header())
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (e *headerEditor) Write(body []byte) (int, error) {
	if !e.sent {
		e.WriteHeader(http.StatusOK)
	}
	return e.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController flush and hijack.
func (e *headerEditor) Unwrap() http.ResponseWriter { return e.ResponseWriter }
