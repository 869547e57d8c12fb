package cloudfront

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
)

// What CloudFront compresses: "Serve compressed files" in its Developer Guide.
const (
	smallestCompressed = 1_000      // bytes
	largestCompressed  = 10_000_000 // bytes
)

var (
	compressedTypes = map[string]bool{
		"application/dash+xml": true, "application/eot": true, "application/font": true, "application/font-sfnt": true,
		"application/javascript": true, "application/json": true, "application/opentype": true, "application/otf": true,
		"application/pdf": true, "application/pkcs7-mime": true, "application/protobuf": true, "application/rss+xml": true,
		"application/truetype": true, "application/ttf": true, "application/vnd.apple.mpegurl": true, "application/vnd.mapbox-vector-tile": true,
		"application/vnd.ms-fontobject": true, "application/wasm": true, "application/xhtml+xml": true, "application/xml": true,
		"application/x-font-opentype": true, "application/x-font-truetype": true, "application/x-font-ttf": true, "application/x-httpd-cgi": true,
		"application/x-javascript": true, "application/x-mpegurl": true, "application/x-opentype": true, "application/x-otf": true,
		"application/x-perl": true, "application/x-ttf": true, "font/eot": true, "font/opentype": true, "font/otf": true, "font/ttf": true,
		"image/svg+xml": true, "text/css": true, "text/csv": true, "text/html": true, "text/javascript": true, "text/js": true,
		"text/plain": true, "text/richtext": true, "text/tab-separated-values": true, "text/xml": true, "text/x-component": true,
		"text/x-java-source": true, "text/x-script": true, "vnd.apple.mpegurl": true,
	}
	compressedStatus = []int{http.StatusOK, http.StatusForbidden, http.StatusNotFound}
)

// compresses tells whether a distribution compresses at all: it must say so, and
// its cache policy must ask for compressed objects.
func (d Distribution) compresses() bool {
	return d.Behavior.Compress && managedCachePolicies[d.Behavior.CachePolicyID].compresses
}

// compress makes a body smaller for a viewer who takes gzip.
func (a *answer) compress(r *http.Request) {
	if !a.compressible() {
		return
	}
	a.header.Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r) {
		return
	}
	var smaller bytes.Buffer
	writer := gzip.NewWriter(&smaller)
	_, _ = writer.Write(a.body) // a buffer takes everything
	_ = writer.Close()
	a.body = smaller.Bytes()
	a.header.Set("Content-Encoding", "gzip")
	if tag := a.header.Get("Etag"); strings.HasPrefix(tag, `"`) {
		a.header.Set("Etag", "W/"+tag)
	}
}

func (a *answer) compressible() bool {
	mediaType, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return slices.Contains(compressedStatus, a.status) && a.header.Get("Content-Encoding") == "" &&
		len(a.body) >= smallestCompressed && len(a.body) <= largestCompressed && compressedTypes[strings.ToLower(strings.TrimSpace(mediaType))]
}

// acceptsGzip tells whether a viewer takes gzip. Those of HTTP/1.0, and those who
// ask for a part of an object, get it as it is.
func acceptsGzip(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) || r.Header.Get("Range") != "" {
		return false
	}
	for _, list := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(list, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") && !refused(parameters) {
				return true
			}
		}
	}
	return false
}

// refused tells whether the parameters of a coding are a weight of zero.
func refused(parameters string) bool {
	name, weight, _ := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "=")
	return strings.EqualFold(name, "q") && strings.Trim(weight, "0.") == "" && weight != ""
}
