package config_test

import (
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
)

func getenv(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestLoad(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		environment.QuotaTable:      "quota",
		environment.QueueURL:        "https://sqs.eu-west-1.amazonaws.com/1/q",
		environment.AllowedOrigins:  " https://A.example:443 ,http://b.example:80,",
		environment.AllowedCIDRs:    "::ffff:10.0.0.0/104,2001:DB8::/32",
		environment.QuotaTiers:      `{"default":{"monthlyRequests":10,"monthlyTokens":0},"groups":{"gold":{"monthlyRequests":0,"monthlyTokens":5}}}`,
		environment.TimeZone:        "UTC",
		environment.UserRateLimit:   "2.5",
		environment.UserBurstLimit:  "4",
		environment.ModelID:         "m",
		environment.AllowedModelIDs: "m,n",
		environment.MaxTokens:       "100",
		environment.Temperature:     "0.3",
		environment.AllowSystem:     "false",
		environment.MaxAgeSeconds:   "900",
		environment.LeaseSeconds:    "0.5",
		environment.LogLevel:        "warn",
	}
	names := []string{environment.TopP, environment.SystemPrompt, environment.MetricsNamespace, environment.OnDisconnect}
	for name := range values {
		names = append(names, name)
	}
	s, err := config.Load(getenv(values), names...)
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string][2]any{
		"quota table":  {s.QuotaTable, "quota"},
		"queue":        {s.QueueURL, "https://sqs.eu-west-1.amazonaws.com/1/q"},
		"origins":      {s.AllowedOrigins, allowlist.Origins{"https://a.example", "http://b.example"}},
		"cidrs":        {s.AllowedCIDRs, allowlist.Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}},
		"default tier": {s.Tiers.Default, environment.Limits{MonthlyRequests: 10}},
		"gold tier":    {s.Tiers.Groups["gold"], environment.Limits{MonthlyTokens: 5}},
		"rate":         {s.UserRateLimit, 2.5},
		"burst":        {s.UserBurstLimit, int64(4)},
		"models":       {s.AllowedModelIDs, []string{"m", "n"}},
		"max tokens":   {s.MaxTokens, 100},
		"temperature":  {*s.Temperature, 0.3},
		"top p":        {s.TopP, (*float64)(nil)},
		"system":       {s.AllowSystem, false},
		"max age":      {s.MaxAge, 15 * time.Minute},
		"lease":        {s.Lease, 500 * time.Millisecond},
		"log level":    {s.LogLevel, slog.LevelWarn},
		"namespace":    {s.MetricsNamespace, "StreamingService"},
		"disconnect":   {s.OnDisconnect, "continue"},
	}
	for name, c := range checks {
		if !reflect.DeepEqual(c[0], c[1]) {
			t.Errorf("%s = %v, want %v", name, c[0], c[1])
		}
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		environment.UserBurstLimit:  "-1",
		environment.TimeZone:        "Europe/Atlantis",
		environment.ModelID:         "m",
		environment.AllowedModelIDs: "n",
	}
	_, err := config.Load(getenv(values), environment.QuotaTable, environment.RequestsTable, environment.UserBurstLimit, environment.TimeZone,
		environment.ModelID, environment.AllowedModelIDs, "NO_SUCH_VARIABLE")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"QUOTA_TABLE must be set", "REQUESTS_TABLE must be set", `USER_BURST_LIMIT: must be a whole number from 0 to 2147483647, got "-1"`,
		"TIME_ZONE: loading time zone", "ALLOWED_MODEL_IDS: n does not hold MODEL_ID m", "NO_SUCH_VARIABLE: unknown variable",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	bad := map[string][]string{
		environment.QueueURL:             {"q", "ftp://host/q", "https:///q", "://"},
		environment.WebSocketAPIEndpoint: {"wss://host/stage"},
		environment.AllowedOrigins:       {"*", "https://a.example/", "https://a.example,https://münchen.example"},
		environment.AllowedCIDRs:         {"10.0.0.1/8", "10.0.0.1", "10.0.0.0/33", "x"},
		environment.QuotaTiers:           {"{", "[]", `{"default":{"monthlyRequests":-1}}`, `{"groups":{"g":{"monthlyTokens":-1}}}`, `{"x":1}`, `{} {}`},
		environment.UserRateLimit:        {"-1", "NaN", "Inf", "fast", "1e-9"},
		environment.MaxTokens:            {"0", "1.5", "99999999999"},
		environment.Temperature:          {"-0.1", "1.1", "NaN", "hot"},
		environment.AllowSystem:          {"yes", "TRUE"},
		environment.OnDisconnect:         {"stop"},
		environment.LeaseSeconds:         {"0", "-1", "NaN", "x"},
		environment.LogLevel:             {"loud"},
		environment.ReplayTTLHours:       {"0"},
	}
	for name, list := range bad {
		for _, value := range list {
			if _, err := config.Load(getenv(map[string]string{name: value}), name); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}

// Every variable that the component gives to a function has a reader.
func TestEveryVariableIsKnown(t *testing.T) {
	t.Parallel()
	for _, function := range environment.Functions() {
		if _, err := config.Load(getenv(nil), environment.Of(function)...); err != nil && strings.Contains(err.Error(), "unknown") {
			t.Errorf("function %s: %v", function, err)
		}
	}
}

// No value makes Load panic, and what it accepts holds its own bounds.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"", "1", "-1", "NaN", "true", "10.0.0.0/8", "https://a/b", `{"default":{}}`, "UTC", "../../etc/passwd", "a,b,,"} {
		f.Add(seed)
	}
	names := []string{
		environment.QueueURL, environment.AllowedOrigins, environment.AllowedCIDRs, environment.QuotaTiers, environment.TimeZone, environment.UserRateLimit,
		environment.UserBurstLimit, environment.MaxTokens, environment.Temperature, environment.LeaseSeconds, environment.LogLevel, environment.AllowSystem,
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range names {
			s, err := config.Load(func(string) string { return value }, name)
			if err != nil {
				continue
			}
			if s.UserRateLimit < 0 || s.UserBurstLimit < 0 || s.MaxTokens < 0 || s.Lease < 0 || (s.Temperature != nil && !(*s.Temperature >= 0 && *s.Temperature <= 1)) {
				t.Errorf("%s=%q gives %+v", name, value, s)
			}
		}
	})
}
