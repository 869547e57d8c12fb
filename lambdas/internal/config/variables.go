package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func optional(v variable) variable {
	v.required = false
	return v
}

func text(field func(*Settings) *string) variable {
	return variable{required: true, set: func(s *Settings, value string) error {
		*field(s) = value
		return nil
	}}
}

func endpoint(field func(*Settings) *string) variable {
	return variable{required: true, set: func(s *Settings, value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return fmt.Errorf("must be an http or https URL, got %q", value)
		}
		*field(s) = value
		return nil
	}}
}

func flag(absent string, field func(*Settings) *bool) variable {
	return variable{absent: absent, set: func(s *Settings, value string) error {
		if value != "true" && value != "false" {
			return fmt.Errorf("must be true or false, got %q", value)
		}
		*field(s) = value == "true"
		return nil
	}}
}

func list(field func(*Settings) *[]string) variable {
	return variable{required: true, set: func(s *Settings, value string) error {
		*field(s) = split(value)
		return nil
	}}
}

// split cuts a comma-separated list, without blanks and empty members.
func split(value string) []string {
	var out []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func number(least int64, assign func(*Settings, int64)) variable {
	return variable{required: true, set: func(s *Settings, value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < least || n > math.MaxInt32 {
			return fmt.Errorf("must be a whole number from %d to %d, got %q", least, math.MaxInt32, value)
		}
		assign(s, n)
		return nil
	}}
}

func fraction(field func(*Settings) **float64) variable {
	return variable{set: func(s *Settings, value string) error {
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return fmt.Errorf("must be a number from 0 to 1, got %q", value)
		}
		*field(s) = &f
		return nil
	}}
}

func setOrigins(s *Settings, value string) (err error) {
	s.AllowedOrigins, err = allowlist.NewOrigins(split(value))
	return err
}

func setCIDRs(s *Settings, value string) (err error) {
	s.AllowedCIDRs, err = allowlist.NewNetworks(split(value))
	return err
}

// object reads a variable that is one JSON object.
func object(value, of string, into any) error {
	decoder := json.NewDecoder(bytes.NewBufferString(value))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil || decoder.More() {
		return fmt.Errorf("must be the JSON of the %s, got %q", of, value)
	}
	return nil
}

func setServiceBudget(s *Settings, value string) (err error) {
	if s.ServiceBudget, err = protocol.ParseUSD(value); err != nil || s.ServiceBudget < 0 {
		return fmt.Errorf("must be an amount of dollars of 0 or more, got %q", value)
	}
	return nil
}

func setPrices(s *Settings, value string) error {
	var prices environment.Prices
	if err := object(value, "prices", &prices); err != nil {
		return err
	}
	s.Prices = make(map[string]life.Price, len(prices))
	for model, p := range prices {
		price := life.Price{Input: p.Input, Output: p.Output, CacheRead: p.Input, CacheWrite: p.Input}
		if p.CacheRead != nil {
			price.CacheRead = *p.CacheRead
		}
		if p.CacheWrite != nil {
			price.CacheWrite = *p.CacheWrite
		}
		if least := min(price.Input, price.Output, price.CacheRead, price.CacheWrite); least < 0 {
			return fmt.Errorf("prices of model %s must be >= 0, got %s", model, least)
		}
		s.Prices[model] = price
	}
	return nil
}

func setTiers(s *Settings, value string) error {
	if err := object(value, "tiers", &s.Tiers); err != nil {
		return err
	}
	if err := checkLimits("default", s.Tiers.Default); err != nil {
		return err
	}
	for group, limits := range s.Tiers.Groups {
		if err := checkLimits(group, limits); err != nil {
			return err
		}
	}
	return nil
}

func checkLimits(tier string, l environment.Limits) error {
	if l.MonthlyRequests < 0 || l.MonthlyTokens < 0 || l.MonthlyBudget < 0 {
		return fmt.Errorf("limits of tier %s must be >= 0, got %d requests, %d tokens and %s dollars", tier, l.MonthlyRequests, l.MonthlyTokens, l.MonthlyBudget)
	}
	return nil
}

func setCalendar(s *Settings, value string) (err error) {
	s.Calendar, err = life.NewCalendar(value)
	return err
}

func setUserRateLimit(s *Settings, value string) error {
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || !(rate >= 0) || rate > math.MaxInt32 || (rate > 0 && rate < 1e-6) {
		return fmt.Errorf("must be 0 or a number of requests per second, got %q", value)
	}
	s.UserRateLimit = rate
	return nil
}

func setOnDisconnect(s *Settings, value string) error {
	if value != OnDisconnectContinue && value != OnDisconnectCancel {
		return fmt.Errorf("must be %s or %s, got %q", OnDisconnectContinue, OnDisconnectCancel, value)
	}
	s.OnDisconnect = value
	return nil
}

// setLease accepts fractions of a second, for tests.
func setLease(s *Settings, value string) error {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f > 0 && f <= 3600) {
		return fmt.Errorf("must be a number of seconds, got %q", value)
	}
	s.Lease = time.Duration(f * float64(time.Second))
	return nil
}

func setLogLevel(s *Settings, value string) error {
	if err := s.LogLevel.UnmarshalText([]byte(value)); err != nil {
		return fmt.Errorf("must be debug, info, warn or error, got %q", value)
	}
	return nil
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
