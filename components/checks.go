package components

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the machine that previews may have none
	"unicode/utf8"
)

// check returns the rule that a value breaks, or "".
type check func(v any) string

// DeadLetterRetentionSeconds is how long the dead-letter queue keeps a
// message: 14 days, the longest that SQS offers. A message keeps the time at
// which it was first sent, so this must be longer than the queue's retention.
const DeadLetterRetentionSeconds = 1_209_600

// Largest numbers: of what AWS and the functions hold in 32 bits, and of what
// every reader of JSON, browsers among them, reads exactly.
const (
	maxInt32 = 1<<31 - 1
	maxExact = 1<<53 - 1
)

// Largest limits of one user that the functions keep: the time between two
// requests is stored in whole milliseconds, and open requests in one item.
const (
	maxUserRate = 1000
	maxOpen     = 10_000
)

// logRetentions are the periods that CloudWatch Logs takes, in days.
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// Largest amounts, in dollars: that of which every reader of JSON reads each
// nano-dollar, and a price far above any.
const (
	maxBudget = 9_000_000
	maxPrice  = 10_000
)

var (
	budget = []check{atLeast(0), atMost(maxBudget), mostDecimals(6)}
	price  = []check{atLeast(0), atMost(maxPrice), mostDecimals(6)}
)

// checks are the rules of each setting by itself. '*' stands for the name of a
// tier or the id of a model.
var checks = map[string][]check{
	"name":               {matches(`^[A-Za-z][A-Za-z0-9-]*$`, "must be letters, digits and '-', beginning with a letter"), longest(30)},
	"stageName":          {matches(`^[A-Za-z0-9_-]{1,128}$`, "must be 1 to 128 letters, digits, '-' and '_'")},
	"tags":               {tagSet},
	"functionArchiveDir": {functionArchives},

	"throttle.rateLimit":           {above(0)},
	"throttle.burstLimit":          {atLeast(1), atMost(maxInt32)},
	"throttle.webSocketRateLimit":  {above(0)},
	"throttle.webSocketBurstLimit": {atLeast(1), atMost(maxInt32)},
	"throttle.userRateLimit":       {atLeast(0), zeroOrAtLeast(0.000001), atMost(maxUserRate)},
	"throttle.userBurstLimit":      {atLeast(1), atMost(maxInt32)},
	"throttle.userConcurrency":     {atLeast(0), atMost(maxOpen)},
	"throttle.userConnections":     {between(1, 100)},

	"quota.monthlyRequests":         {atLeast(0), atMost(maxExact)},
	"quota.monthlyTokens":           {atLeast(0), atMost(maxExact)},
	"quota.monthlyBudget":           budget,
	"quota.serviceMonthlyBudget":    budget,
	"quota.timeZone":                {timeZone},
	"quota.tiers.*":                 {matches(`^[A-Za-z0-9_-]{1,128}$`, "must be named by 1 to 128 letters, digits, '-' and '_'")},
	"quota.tiers.*.monthlyRequests": {atLeast(0), atMost(maxExact)},
	"quota.tiers.*.monthlyTokens":   {atLeast(0), atMost(maxExact)},
	"quota.tiers.*.monthlyBudget":   budget,
	"quota.tiers.*.precedence":      {atLeast(0), atMost(maxInt32)},

	"model.modelId":             {modelID},
	"model.allowedModelIds":     {each(modelID)},
	"model.prices.*":            {modelID},
	"model.prices.*.input":      price,
	"model.prices.*.output":     price,
	"model.prices.*.cacheRead":  price,
	"model.prices.*.cacheWrite": price,
	"model.maxTokens":           {between(1, 128_000)},
	"model.temperature":         {between(0, 1)},
	"model.topP":                {between(0, 1)},
	"model.system":              {notBlank, longestBytes(2048)},
	"model.guardrailId":         {matches(`^([a-z0-9]+|arn:[a-z-]+:bedrock:[a-z0-9-]+:\d{12}:guardrail/[a-z0-9]+)$`, "must be the id or ARN of a guardrail")},
	"model.guardrailVersion":    {matches(`^([1-9][0-9]{0,7}|DRAFT)$`, "must be a version number or DRAFT")},

	"auth.userPoolId":                 {matches(`^[a-z]{2,}(-[a-z]+)+-\d_[A-Za-z0-9]+$`, "must be the id of a user pool, such as eu-west-1_AbCdEfGhI")},
	"auth.userPoolClientId":           {matches(`^[A-Za-z0-9_+]{1,128}$`, "must be the id of an app client")},
	"auth.mfa":                        {oneOf("OFF", "OPTIONAL", "ON")},
	"auth.passwordMinimumLength":      {between(6, 99)},
	"auth.idTokenValidityMinutes":     {between(5, 1440)},
	"auth.accessTokenValidityMinutes": {between(5, 1440)},
	"auth.refreshTokenValidityDays":   {between(1, 3650)},
	"auth.userPoolTier":               {oneOf("LITE", "ESSENTIALS", "PLUS")},
	"auth.sesSourceArn":               {arn("ses", "identity/")},
	"auth.fromEmailAddress":           {matches(`^[^@\r\n]*[^@\s]+@[^@\s]+\.[^@\s>]+>?$`, "must be an e-mail address")},
	"auth.allowedOrigins":             {each(origin)},
	"auth.allowedCidrs":               {each(cidr)},

	"queue.maxReceiveCount":         {between(10, 1000)},
	"queue.batchSize":               {between(1, 10)},
	"queue.maximumConcurrency":      {between(2, 1000)},
	"queue.messageRetentionSeconds": {between(60, DeadLetterRetentionSeconds-1)},
	"queue.maxAgeSeconds":           {between(60, 86_400)},
	"queue.sweepIntervalMinutes":    {between(0, 1440)},

	"functions.memorySize":                   {between(128, 10_240)},
	"functions.timeout":                      {between(30, 900)},
	"functions.reservedConcurrentExecutions": {atLeast(1)},
	"functions.logLevel":                     {oneOf("debug", "info", "warn", "error")},
	"functions.logRetentionInDays":           {logRetention},
	"functions.architecture":                 {oneOf("arm64", "x86_64")},

	"streaming.flushIntervalMs": {between(20, 2000)},
	"streaming.replayTtlHours":  {between(1, 720)},
	"streaming.onDisconnect":    {oneOf("continue", "cancel")},

	"protection.kmsKeyArn": {arn("kms", "key/")},
	"protection.webAclArn": {arn("wafv2", "regional/webacl/")},

	"domain.rest":           {domainName},
	"domain.webSocket":      {domainName},
	"domain.certificateArn": {arn("acm", "certificate/")},
	"domain.hostedZoneId":   {matches(`^Z[A-Z0-9]{1,31}$`, "must be the id of a hosted zone")},

	"site.domain":         {domainName},
	"site.certificateArn": {arnIn(certificateRegion, "acm", "certificate/")},

	"observability.alarmTopicArn":     {arn("sns", "")},
	"observability.apiGatewayLogRole": {oneOf("existing", "manage")},
}

func above(minimum float64) check {
	return func(v any) string {
		if n := numberOf(v); n > minimum {
			return ""
		}
		return "must be > " + textOf(minimum)
	}
}

func atLeast(minimum float64) check {
	return func(v any) string {
		if n := numberOf(v); n >= minimum {
			return ""
		}
		return "must be >= " + textOf(minimum)
	}
}

func atMost(maximum float64) check {
	return func(v any) string {
		if n := numberOf(v); n <= maximum {
			return ""
		}
		return "must be <= " + textOf(maximum)
	}
}

// zeroOrAtLeast is for limits of which 0 means none.
func zeroOrAtLeast(minimum float64) check {
	return func(v any) string {
		if n := numberOf(v); n <= 0 || n >= minimum {
			return ""
		}
		return "must be 0 or >= " + textOf(minimum)
	}
}

// mostDecimals looks at the shortest decimal that is the number: the one that
// was written.
func mostDecimals(most int) check {
	return func(v any) string {
		if _, decimals, _ := strings.Cut(textOf(v), "."); len(decimals) <= most {
			return ""
		}
		return "must have at most " + strconv.Itoa(most) + " decimals"
	}
}

func between(low, high float64) check {
	return func(v any) string {
		if n := numberOf(v); n >= low && n <= high {
			return ""
		}
		return "must be between " + textOf(low) + " and " + textOf(high)
	}
}

func oneOf(allowed ...string) check {
	return func(v any) string {
		if s, _ := v.(string); slices.Contains(allowed, s) {
			return ""
		}
		return "must be one of " + strings.Join(allowed, ", ")
	}
}

func matches(pattern, rule string) check {
	re := regexp.MustCompile(pattern)
	return func(v any) string {
		if s, _ := v.(string); re.MatchString(s) {
			return ""
		}
		return rule
	}
}

func longest(characters int) check {
	return func(v any) string {
		if s, _ := v.(string); len(s) <= characters {
			return ""
		}
		return fmt.Sprintf("must be at most %d characters, because the names of roles are made from it", characters)
	}
}

func longestBytes(bytes int) check {
	return func(v any) string {
		if s, _ := v.(string); len(s) <= bytes {
			return ""
		}
		return "must be at most " + strconv.Itoa(bytes) + " bytes"
	}
}

func notBlank(v any) string {
	if s, _ := v.(string); strings.TrimSpace(s) != "" {
		return ""
	}
	return "must not be blank"
}

// arn checks for an ARN of a regional resource of service whose last part
// begins with prefix.
func arn(service, prefix string) check { return arnLike(`[a-z0-9-]+`, "<region>", service, prefix) }

// arnIn checks for such an ARN in one Region.
func arnIn(region, service, prefix string) check { return arnLike(region, region, service, prefix) }

func arnLike(pattern, region, service, prefix string) check {
	pattern = `^arn:[a-z-]+:` + service + `:` + pattern + `:\d{12}:` + regexp.QuoteMeta(prefix) + `\S+$`
	return matches(pattern, "must be an ARN like arn:aws:"+service+":"+region+":<account>:"+prefix+"…")
}

// each applies a check to every element of a list, which must not be empty.
func each(c check) check {
	return func(v any) string {
		list, _ := v.([]string)
		if len(list) == 0 {
			return "must not be an empty list"
		}
		for _, element := range list {
			if rule := c(element); rule != "" {
				return "elements " + rule
			}
		}
		return ""
	}
}

// zoneName is how IANA writes its names. Files beside them, and names in other
// letters that some systems find, are unknown to the functions.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

func timeZone(v any) string {
	if s, _ := v.(string); zoneName.MatchString(s) && s != "Local" {
		if _, err := time.LoadLocation(s); err == nil {
			return ""
		}
	}
	return "must be an IANA time zone such as Europe/Berlin"
}

var modelID = matches(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`, "must be a model id, an inference profile id or an ARN")

var domainName = matches(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`, "must be a domain name in lower case, such as api.example.com")

func logRetention(v any) string {
	if n, ok := v.(int); ok && slices.Contains(logRetentions, n) {
		return ""
	}
	return "must be a period of CloudWatch Logs (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …)"
}

func tagSet(v any) string {
	tags, _ := v.(map[string]string)
	if len(tags) > 50 {
		return "must be at most 50"
	}
	for key, val := range tags {
		if key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(val) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return "must have keys of 1 to 128 characters, not beginning with aws:, and values of at most 256"
		}
	}
	return ""
}

// numberOf is the number that a setting is; its type is that of its field.
func numberOf(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	default:
		return 0
	}
}
