// Package config turns the environment of a function into typed settings. All
// that is wrong with it is reported at once, by the names of the variables.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Settings are the settings of a function. Fields of variables that it did not
// name to Load keep their zero value.
type Settings struct {
	QuotaTable           string
	ConnectionsTable     string
	RequestsTable        string
	QueueURL             string
	DeadLetterQueueURL   string
	WebSocketAPIEndpoint string
	UploadsURL           string // "": there are no uploads
	UserPoolID           string
	UserPoolClientID     string

	AllowedOrigins allowlist.Origins
	AllowedCIDRs   allowlist.Networks
	PersonalKeys   bool

	Tiers           environment.Tiers
	ServiceBudget   protocol.USD // of a month; 0: unlimited
	Calendar        life.Calendar
	UserRateLimit   float64 // requests per second; 0: unlimited
	UserBurstLimit  int64
	UserConcurrency int64 // open requests; 0: unlimited
	UserConnections int

	ModelID          string
	AllowedModelIDs  []string
	Prices           map[string]life.Price // by model
	MaxTokens        int
	Temperature      *float64 // nil: the model's own
	TopP             *float64 // nil: the model's own
	SystemPrompt     string
	AllowSystem      bool
	GuardrailID      string
	GuardrailVersion string

	FlushInterval       time.Duration
	ReplayTTL           time.Duration
	OnDisconnect        string        // continue or cancel
	MaxAge              time.Duration // 0: no request is too old
	DeadLetterRetention time.Duration
	Lease               time.Duration

	LogLevel         slog.Level
	MetricsNamespace string
	ServiceName      string
}

// Values of OnDisconnect.
const (
	OnDisconnectContinue = "continue"
	OnDisconnectCancel   = "cancel"
)

// variable is how one variable is read.
type variable struct {
	required bool
	absent   string // value where it is not set; "": leave the field alone
	set      func(s *Settings, value string) error
}

var variables = map[string]variable{
	environment.QuotaTable:           text(func(s *Settings) *string { return &s.QuotaTable }),
	environment.ConnectionsTable:     text(func(s *Settings) *string { return &s.ConnectionsTable }),
	environment.RequestsTable:        text(func(s *Settings) *string { return &s.RequestsTable }),
	environment.QueueURL:             endpoint(func(s *Settings) *string { return &s.QueueURL }),
	environment.DeadLetterQueueURL:   endpoint(func(s *Settings) *string { return &s.DeadLetterQueueURL }),
	environment.WebSocketAPIEndpoint: endpoint(func(s *Settings) *string { return &s.WebSocketAPIEndpoint }),
	environment.UploadsURL:           optional(endpoint(func(s *Settings) *string { return &s.UploadsURL })),
	environment.UserPoolID:           text(func(s *Settings) *string { return &s.UserPoolID }),
	environment.UserPoolClientID:     text(func(s *Settings) *string { return &s.UserPoolClientID }),

	environment.AllowedOrigins: optional(variable{set: setOrigins}),
	environment.AllowedCIDRs:   optional(variable{set: setCIDRs}),
	environment.PersonalKeys:   flag("false", func(s *Settings) *bool { return &s.PersonalKeys }),

	environment.QuotaTiers:           {required: true, set: setTiers},
	environment.ServiceMonthlyBudget: {absent: "0", set: setServiceBudget},
	environment.TimeZone:             {absent: "UTC", set: setCalendar},
	environment.UserRateLimit:        {required: true, set: setUserRateLimit},
	environment.UserBurstLimit:       number(0, func(s *Settings, n int64) { s.UserBurstLimit = n }),
	environment.UserConcurrency:      number(0, func(s *Settings, n int64) { s.UserConcurrency = n }),
	environment.UserConnections:      number(0, func(s *Settings, n int64) { s.UserConnections = int(n) }),

	environment.ModelID:          text(func(s *Settings) *string { return &s.ModelID }),
	environment.AllowedModelIDs:  list(func(s *Settings) *[]string { return &s.AllowedModelIDs }),
	environment.ModelPrices:      {set: setPrices},
	environment.MaxTokens:        number(1, func(s *Settings, n int64) { s.MaxTokens = int(n) }),
	environment.Temperature:      fraction(func(s *Settings) **float64 { return &s.Temperature }),
	environment.TopP:             fraction(func(s *Settings) **float64 { return &s.TopP }),
	environment.SystemPrompt:     optional(text(func(s *Settings) *string { return &s.SystemPrompt })),
	environment.AllowSystem:      flag("true", func(s *Settings) *bool { return &s.AllowSystem }),
	environment.GuardrailID:      optional(text(func(s *Settings) *string { return &s.GuardrailID })),
	environment.GuardrailVersion: optional(text(func(s *Settings) *string { return &s.GuardrailVersion })),

	environment.FlushIntervalMs:            number(1, func(s *Settings, n int64) { s.FlushInterval = time.Duration(n) * time.Millisecond }),
	environment.ReplayTTLHours:             number(1, func(s *Settings, n int64) { s.ReplayTTL = time.Duration(n) * time.Hour }),
	environment.OnDisconnect:               {absent: OnDisconnectContinue, set: setOnDisconnect},
	environment.MaxAgeSeconds:              number(0, func(s *Settings, n int64) { s.MaxAge = time.Duration(n) * time.Second }),
	environment.DeadLetterRetentionSeconds: number(1, func(s *Settings, n int64) { s.DeadLetterRetention = time.Duration(n) * time.Second }),
	environment.LeaseSeconds:               {absent: seconds(life.DefaultLease), set: setLease},

	environment.LogLevel:         {absent: "info", set: setLogLevel},
	environment.MetricsNamespace: {absent: environment.DefaultMetricsNamespace, set: func(s *Settings, v string) error { s.MetricsNamespace = v; return nil }},
	environment.ServiceName:      optional(text(func(s *Settings) *string { return &s.ServiceName })),
}

// Load reads the named variables. The error joins one line for each that is
// missing or invalid.
func Load(getenv func(string) string, names ...string) (Settings, error) {
	var s Settings
	var errs []error
	for _, name := range names {
		v, known := variables[name]
		value := getenv(name)
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("%s: unknown variable", name))
			continue
		case value == "" && v.required:
			errs = append(errs, fmt.Errorf("%s must be set", name))
			continue
		case value == "":
			value = v.absent
		}
		if value == "" {
			continue
		}
		if err := v.set(&s, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	errs = append(errs, across(s, names)...)
	if err := errors.Join(errs...); err != nil {
		return Settings{}, fmt.Errorf("reading the environment: %w", err)
	}
	return s, nil
}

// AnswersKept is how long what belongs to a request is kept from its admission
// on: it may wait for its end until the dead-letter queue gives it up, and is
// replayed after that.
func (s Settings) AnswersKept() time.Duration {
	return s.MaxAge + s.DeadLetterRetention + s.ReplayTTL
}

// Unpriced returns the allowed models that have no price.
func (s Settings) Unpriced() []string {
	return slices.DeleteFunc(slices.Clone(s.AllowedModelIDs), func(id string) bool { _, ok := s.Prices[id]; return ok })
}

// budgeted reports whether anybody has a limited budget.
func (s Settings) budgeted() bool {
	for _, limits := range s.Tiers.Groups {
		if limits.MonthlyBudget > 0 {
			return true
		}
	}
	return s.ServiceBudget > 0 || s.Tiers.Default.MonthlyBudget > 0
}

// across checks the rules between variables.
func across(s Settings, names []string) []error {
	var errs []error
	if unpriced := s.Unpriced(); s.budgeted() && slices.Contains(names, environment.ModelPrices) && len(unpriced) > 0 {
		errs = append(errs, fmt.Errorf("%s: must price every allowed model where there is a budget, and lacks %s", environment.ModelPrices, strings.Join(unpriced, ", ")))
	}
	both := slices.Contains(names, environment.ModelID) && slices.Contains(names, environment.AllowedModelIDs)
	if both && s.ModelID != "" && len(s.AllowedModelIDs) > 0 && !slices.Contains(s.AllowedModelIDs, s.ModelID) {
		errs = append(errs, fmt.Errorf("%s: %s does not hold %s %s", environment.AllowedModelIDs, strings.Join(s.AllowedModelIDs, ","), environment.ModelID, s.ModelID))
	}
	return errs
}
