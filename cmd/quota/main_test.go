package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "u"}, "give either -local URL or -outputs FILE"},
		{[]string{"-local", "x", "-outputs", "y", "show", "u"}, "give either -local URL or -outputs FILE"},
		{[]string{"-local", "x", "shwo"}, `unknown command "shwo"`},
		{[]string{"-local", "x", "-nope", "show"}, "flag provided but not defined: -nope"},
		{[]string{"-local", "x", "show"}, `want one USER, got ""`},
		{[]string{"-local", "x", "show", "a", "b"}, `want one USER, got "a b"`},
		{[]string{"-local", "x", "set", "a"}, "set wants -requests, -tokens, -budget or -tier"},
		{[]string{"-local", "x", "set", "a", "-requests", "-3"}, "want a number of 0 or more"},
		{[]string{"-local", "x", "set", "a", "-budget", "1.0000001"}, `invalid value "1.0000001" for flag -budget: want dollars from 0 to 9000000 with at most 6 decimals`},
		{[]string{"-local", "x", "set", "a", "-budget", "-1"}, "want dollars from 0 to 9000000"},
		{[]string{"-local", "x", "set", "a", "-budget", "9000001"}, "want dollars from 0 to 9000000"},
		{[]string{"-local", "x", "grant", "a", "-budget", "1e3", "-until", "1h"}, "want dollars from 0 to 9000000"},
		{[]string{"-local", "x", "grant", "a", "-requests", "3"}, "grant wants -until"},
		{[]string{"-local", "x", "grant", "a", "-requests", "3", "-until", "soon"}, `-until "soon" is no RFC 3339 time, date or duration`},
		{[]string{"-local", "x", "revoke", "a"}, "revoke wants either -key or -all"},
		{[]string{"-local", "x", "revoke", "a", "-key", "k", "-all"}, "revoke wants either -key or -all"},
		{[]string{"-local", "x", "audit", "now"}, `unexpected argument "now"`},
		{[]string{"-local", "x", "list", "-near", "most"}, `invalid value "most" for flag -near: want a percentage of 0 or more`},
		{[]string{"-local", "x", "list", "-near", "-5"}, "want a percentage of 0 or more"},
		{[]string{"list", "-local", "127.0.0.1:8080"}, `-local wants a URL such as http://127.0.0.1:8080, got "127.0.0.1:8080"`},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), test.args, &stdout, &stderr); code != exitUsage {
			t.Errorf("%v: exit %d, want %d", test.args, code, exitUsage)
		}
		if message := stderr.String(); !strings.Contains(message, test.want) || strings.Count(message, "\n") != 1 {
			t.Errorf("%v: got %q, want one line with %q", test.args, message, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-help"}, {"-local", "x", "show", "-h"}, {"list", "-help"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != 0 || stdout.String() != help {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}

// TestReportsWithoutRows: an empty report says why it is empty, and its JSON
// stays an empty list.
func TestReportsWithoutRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		report func(printer) error
		want   string
	}{
		{func(p printer) error { return p.statuses([]operator.Status{}, 0) }, noAccounts},
		{func(p printer) error { return p.statuses([]operator.Status{}, 90) }, "no user has used 90 % of a limit"},
		{func(p printer) error { return p.entries([]operator.Entry{}, "") }, noAccounts},
		{func(p printer) error { return p.entries([]operator.Entry{}, "2026-11") }, "no user has sent a request in 2026-11"},
		{func(p printer) error { return p.records([]operator.Record{}, "ada") }, "ada has sent no request that is still recorded"},
		{func(p printer) error { return p.keys([]operator.Key{}, "ada") }, "ada has no personal key"},
		{func(p printer) error { return p.drifts([]operator.Drift{}, 0) }, "no drift in 0 accounts"},
	} {
		var table, list bytes.Buffer
		if err := test.report(printer{w: &table}); err != nil || table.String() != test.want+"\n" {
			t.Errorf("got %q, %v, want %q", table.String(), err, test.want)
		}
		if err := test.report(printer{w: &list, json: true}); err != nil || list.String() != "[]\n" {
			t.Errorf("%s: as JSON %q, %v", test.want, list.String(), err)
		}
	}
}

// TestWhatIsShownOfAUser: counts are singular where they are one, a grant says
// only what it adds, and the end of all time is none.
func TestWhatIsShownOfAUser(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]operator.Status{
		"grant     1 request, 2 tokens until tomorrow\n": {Grant: &operator.Grant{Requests: 1, Tokens: 2, Until: "tomorrow"}},
		"grant     1 token, $0.5 until tomorrow\n":       {Grant: &operator.Grant{Tokens: 1, Budget: protocol.Dollar / 2, Until: "tomorrow"}},
		"blocked   for good\n":                           {BlockedUntil: operator.Forever.Format(time.RFC3339)},
		"blocked   until tomorrow\n":                     {BlockedUntil: "tomorrow"},
	} {
		var out bytes.Buffer
		if err := (printer{w: &out}).status(s); err != nil || !strings.HasSuffix(out.String(), want) {
			t.Errorf("got %v\n%s, want the line %q", err, out.String(), want)
		}
	}
}

// TestFlagsOfEveryCommandMayFollowIt: -local, -outputs and -json are read before
// and behind the name of a command.
func TestFlagsOfEveryCommandMayFollowIt(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-local", "u", "-json", "list"}, {"list", "-local", "u", "-json"}, {"-json", "show", "ada", "-local", "u"}, {"-local", "u", "show", "-json", "ada"},
	} {
		c, err := parse(args)
		if err != nil || c.local != "u" || !c.json {
			t.Errorf("%v: got %+v, %v", args, c, err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"72h": "2026-11-27T12:00:00Z", "2026-12-01": "2026-12-01T00:00:00Z", "2026-12-01T10:00:00+02:00": "2026-12-01T08:00:00Z",
	} {
		got, err := parseTime(text, now)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
}

// TestOperation takes one user of a local cloud through every command.
func TestOperation(t *testing.T) {
	cloud := localcloudtest.Start(t, localcloud.Options{Overrides: []string{"quota.monthlyRequests=2", "quota.tiers.pro.monthlyRequests=9", "auth.personalKeys=true"}})
	const user = "operated@example.com"
	token := cloud.SignUp(t, user).IDToken
	q := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"-local", cloud.Cloud.URL(), "-json"}, args...), &stdout, &stderr); code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	show := func(args ...string) (s operator.Status) {
		t.Helper()
		if err := json.Unmarshal([]byte(q(args...)), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	submit := func() localcloudtest.Answer {
		t.Helper()
		return cloud.Rest(t, token, http.MethodPost, "/requests", localcloudtest.Prompt("hello", "tokens=5 rate=0"))
	}
	requests := func(s operator.Status) int64 { t.Helper(); return *s.Usage.Requests.Limit }

	if got := requests(show("show", user)); got != 2 {
		t.Errorf("limit of the tier: got %d, want 2", got)
	}
	if got := requests(show("set", user, "-requests", "1")); got != 1 {
		t.Errorf("limit as set: got %d, want 1", got)
	}
	if a := submit(); a.Status != http.StatusAccepted {
		t.Fatalf("within the limit: %d %s", a.Status, a.Body)
	}
	if a := submit(); a.Code() != "quota_exceeded" {
		t.Errorf("over the limit as set: %d %s", a.Status, a.Body)
	}
	if got := requests(show("grant", user, "-requests", "3", "-until", "1h")); got != 4 {
		t.Errorf("limit with grant: got %d, want 4", got)
	}
	if a := submit(); a.Status != http.StatusAccepted {
		t.Errorf("within the grant: %d %s", a.Status, a.Body)
	}
	if s := show("block", user); s.BlockedUntil == "" {
		t.Errorf("a block does not show: %+v", s)
	}
	if a := submit(); a.Code() != "blocked" {
		t.Errorf("blocked: %d %s", a.Status, a.Body)
	}
	if s := show("unblock", user); s.BlockedUntil != "" {
		t.Errorf("still blocked: %+v", s)
	}
	if s := show("set", user, "-tier", "pro"); s.Usage.Tier != "pro" {
		t.Errorf("tier as set: %+v", s)
	}
	if s := show("clear", user); s.Override != nil || s.Usage.Tier != "default" {
		t.Errorf("override after clear: %+v", s)
	}

	localcloudtest.Eventually(t, 10*time.Second, "both requests settle", func() bool { return show("show", user).Usage.InFlight == 0 })
	id := show("show", user).UserID
	for _, report := range []string{q("list"), q("list", "-near", "40"), q("export"), q("export", "-period", time.Now().UTC().Format("2006-01"))} {
		if !strings.Contains(report, id) {
			t.Errorf("the user is missing from %s", report)
		}
	}
	if list := q("list", "-near", "60"); strings.Contains(list, id) {
		t.Errorf("2 of 5 requests are listed as over 60 %%: %s", list)
	}
	if records := q("records", user); strings.Count(records, `"succeeded"`) != 2 {
		t.Errorf("records: %s", records)
	}
	var made protocol.CreateKeyResponse
	for range 3 {
		cloud.Rest(t, token, http.MethodPost, "/keys", map[string]any{"name": "laptop"}).Decode(t, &made)
	}
	if list := q("keys", user); strings.Count(list, `"laptop"`) != 3 || !strings.Contains(list, made.KeyID) || strings.Contains(list, made.Key) {
		t.Errorf("keys: %s", list)
	}
	if left := q("revoke", user, "-key", made.KeyID); strings.Count(left, `"laptop"`) != 2 || strings.Contains(left, made.KeyID) {
		t.Errorf("after one is revoked: %s", left)
	}
	if left := q("revoke", "-all", user); strings.TrimSpace(left) != "[]" {
		t.Errorf("after all are revoked: %s", left)
	}
	if drifts := q("audit"); strings.TrimSpace(drifts) != "[]" {
		t.Errorf("audit: %s", drifts)
	}
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, []byte(`{"region":"us-east-1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-outputs", outputs, "audit"}, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "functionArns.quota") {
		t.Errorf("incomplete outputs: exit %d: %s", code, stderr.String())
	}
}

// TestOperationOfBudgets: money is set, shown, spent, listed, exported and
// audited like requests and tokens.
func TestOperationOfBudgets(t *testing.T) {
	cloud := localcloudtest.Start(t, localcloud.Options{Overrides: []string{
		`model.prices["global.amazon.nova-2-lite-v1:0"].input=0.33`, `model.prices["global.amazon.nova-2-lite-v1:0"].output=2.75`,
		"model.maxTokens=100", "quota.monthlyBudget=0.5", "quota.serviceMonthlyBudget=100", "quota.tiers.pro.monthlyBudget=0",
	}})
	const user = "budgeted@example.com"
	token := cloud.SignUp(t, user).IDToken
	q := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"-local", cloud.Cloud.URL()}, args...), &stdout, &stderr); code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	wants := func(output string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(output, want) {
				t.Errorf("no %q in\n%s", want, output)
			}
		}
	}
	submit := func() localcloudtest.Answer {
		t.Helper()
		return cloud.Rest(t, token, http.MethodPost, "/requests", localcloudtest.Prompt("hello", "tokens=5 rate=0"))
	}
	wants(q("show", user), "$0 of $0.5, $0 reserved")
	wants(q("set", user, "-budget", "0.0001"), "$0 of $0.0001", "budget $0.0001")
	if a := submit(); a.Code() != "quota_exceeded" || !strings.Contains(string(a.Body), `"quota":"budget","limit":100000,"used":0,"budget":{"currency":"USD","limit":0.0001,"used":0,`) {
		t.Errorf("over the budget as set: %d %s", a.Status, a.Body)
	}
	wants(q("grant", user, "-budget", "0.25", "-until", "1h"), "$0 of $0.2501", "grant     $0.25 until")
	a := submit()
	if a.Status != http.StatusAccepted || !strings.Contains(string(a.Body), `"budget":{"currency":"USD","limit":0.2501,"used":0,"reserved":0.000`) {
		t.Fatalf("within the grant: %d %s", a.Status, a.Body)
	}
	localcloudtest.Eventually(t, 10*time.Second, "the request settles", func() bool { return strings.Contains(q("show", user), "$0 reserved") })
	wants(q("records", user), "COST", "0.0000")
	wants(q("export"), "COST", "0.0000")
	wants(q("list", "-near", "0"), "BUDGET", "/$0.2501")
	wants(q("set", user, "-tier", "pro"), "of $0.2501")
	wants(q("clear", user), "of $0.75")
	wants(q("audit"), "no drift in 1 account\n")
}
