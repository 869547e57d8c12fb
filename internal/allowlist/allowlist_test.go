package allowlist_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/allowlist"
)

func TestCanonicalOrigin(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"https://app.example.com":              "https://app.example.com",
		"https://app.example.com:443":          "https://app.example.com",
		"https://app.example.com:0443":         "https://app.example.com",
		"https://app.example.com:8443":         "https://app.example.com:8443",
		"http://localhost:80":                  "http://localhost",
		"http://localhost:443":                 "http://localhost:443",
		"http://localhost:3000":                "http://localhost:3000",
		"HTTPS://App.Example.COM":              "https://app.example.com",
		"https://xn--mnchen-3ya.example":       "https://xn--mnchen-3ya.example",
		"http://127.0.0.1:8080":                "http://127.0.0.1:8080",
		"http://[::1]:3000":                    "http://[::1]:3000",
		"http://[0:0:0:0:0:0:0:1]:80":          "http://[::1]",
		"https://[2001:DB8::0A]":               "https://[2001:db8::a]",
		"https://[::ffff:192.0.2.1]":           "https://[::ffff:c000:201]",
		"https://my_app.example.com":           "https://my_app.example.com",
		"https://app.example.com.":             "", // browsers take it for another origin
		"https://app.example.com/":             "",
		"https://app.example.com/path":         "",
		"https://app.example.com?":             "",
		"https://app.example.com#":             "",
		"https://user@app.example.com":         "",
		"https://münchen.example":              "",
		"https://\u212Aelvin.example":          "", // folds to k
		"https://app%2eexample.com":            "",
		"https://app.example.com:":             "",
		"https://app.example.com:0":            "",
		"https://app.example.com:65536":        "",
		"https://*.example.com":                "",
		"https://-a.example.com":               "",
		"https://a..example.com":               "",
		"https://a.example.com,https://b.com":  "",
		"https://" + strings.Repeat("a.", 127): "",
		"https://1.2.3":                        "",
		"https://0x7f.1":                       "",
		"https://[fe80::1%25eth0]":             "",
		"https://[203.0.113.1]":                "",
		"https://":                             "",
		"app.example.com":                      "",
		"ftp://app.example.com":                "",
		"chrome-extension://abcdef":            "",
		" https://app.example.com":             "",
		"https://app.example.com\r\nX: y":      "",
		"null":                                 "",
		"*":                                    "",
		"":                                     "",
	} {
		got, err := allowlist.CanonicalOrigin(written)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("CanonicalOrigin(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
}

// FuzzCanonicalOrigin: the canonical form is its own, and fit for a header and
// for a comma-separated list.
func FuzzCanonicalOrigin(f *testing.F) {
	for _, seed := range []string{"https://App.example.com:443", "http://[::FFFF:1.2.3.4]:80", "https://a_b.example:8443", "http://1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		origin, err := allowlist.CanonicalOrigin(written)
		if err != nil {
			return
		}
		if again, err := allowlist.CanonicalOrigin(origin); err != nil || again != origin {
			t.Errorf("%q became %q and then %q, %v", written, origin, again, err)
		}
		if strings.ContainsAny(origin, ", '\"\r\n*") {
			t.Errorf("%q became %q", written, origin)
		}
	})
}

func TestCanonicalNetwork(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"203.0.113.0/24":            "203.0.113.0/24",
		"203.0.113.7/32":            "203.0.113.7/32",
		"0.0.0.0/0":                 "0.0.0.0/0",
		"::ffff:203.0.113.0/120":    "203.0.113.0/24",
		"::FFFF:CB00:7100/120":      "203.0.113.0/24",
		"::ffff:0:0/96":             "0.0.0.0/0",
		"2001:DB8:0::/32":           "2001:db8::/32",
		"::/0":                      "::/0",
		"203.0.113.7/24":            "",
		"::ffff:203.0.113.0/24":     "",
		"2001:db8::1/32":            "",
		"203.0.113.7":               "",
		"203.0.113.0/33":            "",
		"203.0.113.0/024":           "",
		"fe80::%eth0/10":            "",
		"203.0.113.0/24,10.0.0.0/8": "",
		"":                          "",
	} {
		got, err := allowlist.CanonicalNetwork(written)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("CanonicalNetwork(%q) = %v, %v, want %q", written, got, err, want)
		}
	}
}

// TestWhatIsAcceptedMatches: a list lets in whom it was written for, however
// the list and the caller spell it.
func TestWhatIsAcceptedMatches(t *testing.T) {
	t.Parallel()
	origins, err := allowlist.NewOrigins([]string{"https://APP.example.com:443", "http://localhost:80", "https://app.example.com", "http://[::0001]:3000"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (allowlist.Origins{"https://app.example.com", "http://localhost", "http://[::1]:3000"}); !slices.Equal(origins, want) {
		t.Errorf("origins are %q, want %q", origins, want)
	}
	for origin, want := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com:443": true, "HTTPS://app.example.com": true, "http://localhost": true, "http://[::1]:3000": true,
		"http://app.example.com": false, "https://app.example.com:8443": false, "https://app.example.com.": false, "https://app.example.com/": false,
		"http://localhost:3000": false, "null": false, "*": false, "": false, "https://app.example.com.evil.example": false,
	} {
		if origins.Allow(origin) != want {
			t.Errorf("Allow(%q) = %v", origin, !want)
		}
	}
	networks, err := allowlist.NewNetworks([]string{"::ffff:203.0.113.0/120", "203.0.113.0/24", "2001:DB8::/32"})
	if err != nil || len(networks) != 2 {
		t.Fatal(networks, err)
	}
	for address, want := range map[string]bool{
		"203.0.113.9": true, "::ffff:203.0.113.9": true, "2001:db8::1": true, "2001:db8::1%eth0": true,
		"203.0.114.9": false, "2001:db9::1": false, "": false, "nowhere": false, "203.0.113.0/24": false,
	} {
		if networks.Allow(address) != want {
			t.Errorf("Allow(%q) = %v", address, !want)
		}
	}
}

func TestOneOriginMore(t *testing.T) {
	t.Parallel()
	list := make(allowlist.Origins, 0, 8)
	list = append(list, "https://a.example")
	for _, test := range []struct {
		list allowlist.Origins
		more string
		want allowlist.Origins
	}{
		{list, "https://B.example:443", allowlist.Origins{"https://a.example", "https://b.example"}},
		{list, "https://c.example", allowlist.Origins{"https://a.example", "https://c.example"}},
		{list, "https://a.example", list},
		{list, "", list},
		{list, "*", list},
		{nil, "https://b.example", nil},
	} {
		if got := test.list.With(test.more); !slices.Equal(got, test.want) {
			t.Errorf("%q with %q is %q, want %q", test.list, test.more, got, test.want)
		}
	}
	if first := list.With("https://b.example"); list.With("https://c.example") != nil && first[1] != "https://b.example" {
		t.Errorf("one list changed another: %q", first)
	}
}

func TestNoListAllowsAll(t *testing.T) {
	t.Parallel()
	if !(allowlist.Origins{}).Allow("null") || !(allowlist.Networks{}).Allow("nowhere") {
		t.Error("an empty list refused a caller")
	}
}

func TestWhatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	if _, err := allowlist.NewOrigins([]string{"https://a.example", "https://münchen.example"}); err == nil || !strings.Contains(err.Error(), `"https://münchen.example"`) {
		t.Error(err)
	}
	if _, err := allowlist.NewNetworks([]string{"10.0.0.0/8", "10.0.0.1"}); err == nil || !strings.Contains(err.Error(), `"10.0.0.1" is no network: it has no prefix length`) {
		t.Error(err)
	}
}
