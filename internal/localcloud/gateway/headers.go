package gateway

import (
	"net"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
)

// hopByHop are the headers that end at the gateway.
var hopByHop = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "te": true,
	"trailer": true, "transfer-encoding": true, "upgrade": true,
}

// EventHeaders returns the headers of r as an event carries them: names as the
// client wrote them, plus the X-Forwarded headers that the gateway adds.
func EventHeaders(r *http.Request, traceID string) []rawheader.Field {
	var fields []rawheader.Field
	forwarded := ""
	for _, f := range rawheader.Fields(r) {
		switch name := strings.ToLower(f.Name); {
		case hopByHop[name], name == "x-forwarded-port", name == "x-forwarded-proto", name == "x-amzn-trace-id":
		case name == "x-forwarded-for":
			forwarded = f.Value + ", "
		default:
			fields = append(fields, f)
		}
	}
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return append(fields,
		rawheader.Field{Name: "X-Amzn-Trace-Id", Value: traceID},
		rawheader.Field{Name: "X-Forwarded-For", Value: forwarded + SourceIP(r)},
		rawheader.Field{Name: "X-Forwarded-Port", Value: port},
		rawheader.Field{Name: "X-Forwarded-Proto", Value: "http"},
	)
}

// Single maps each name to its last value.
func Single(fields []rawheader.Field) map[string]string {
	m := make(map[string]string, len(fields))
	for _, f := range fields {
		m[f.Name] = f.Value
	}
	return m
}

// Multi maps each name to its values in order.
func Multi(fields []rawheader.Field) map[string][]string {
	m := make(map[string][]string, len(fields))
	for _, f := range fields {
		m[f.Name] = append(m[f.Name], f.Value)
	}
	return m
}

// Value returns the last value of the header, whatever its case, and whether
// it is there at all.
func Value(fields []rawheader.Field, name string) (value string, ok bool) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			value, ok = f.Value, true
		}
	}
	return value, ok
}

// SourceIP returns the address of the client without its port.
func SourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Query returns the query string as an event carries it: decoded, in both
// forms, nil when there is none. Pairs that cannot be decoded stay as they are.
func Query(r *http.Request) (single map[string]string, multi map[string][]string) {
	values := r.URL.Query()
	if len(values) == 0 {
		return nil, nil
	}
	single = make(map[string]string, len(values))
	for name, vs := range values {
		single[name] = vs[len(vs)-1]
	}
	return single, values
}
