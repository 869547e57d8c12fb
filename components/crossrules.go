package components

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// crossRules are the rules between settings. A rule about a setting that is
// not known yet holds.
var crossRules = []func(values) []problem{
	notBelow("queue.messageRetentionSeconds", "queue.maxAgeSeconds"),
	notBelow("functions.reservedConcurrentExecutions", "queue.maximumConcurrency"),
	modelAllowed,
	modelTakesSampling,
	pricesAreWhole,
	budgetsNeedPrices,
	together("model.guardrailId", "model.guardrailVersion"),
	together("auth.userPoolId", "auth.userPoolClientId"),
	sender,
	adoptedPool,
	refreshOutlives("auth.idTokenValidityMinutes"),
	refreshOutlives("auth.accessTokenValidityMinutes"),
	logsNeedKey,
	ownDomain("domain.webSocket", "domain.rest"),
	domainsNeedCertificate,
	certificateNeedsDomain("domain.certificateArn"),
	certificateNeedsDomain("domain.hostedZoneId"),
	together("site.domain", "site.certificateArn"),
	needsSite("site.domain"),
	needsSite("site.certificateArn"),
	ownDomain("site.domain", "domain.rest"),
	ownDomain("site.domain", "domain.webSocket"),
	logRoleNeedsLogs,
}

// notBelow says that one number is at least another.
func notBelow(path, floor string) func(values) []problem {
	return func(vs values) []problem {
		n, ok := vs.number(path)
		f, okFloor := vs.number(floor)
		if !ok || !okFloor || n >= f {
			return nil
		}
		return []problem{{path, "must be >= " + floor + " (" + textOf(f) + ")", n}}
	}
}

// together says that two settings are given both or not at all.
func together(a, b string) func(values) []problem {
	return func(vs values) []problem {
		switch {
		case vs.given(a) && !vs.given(b):
			return []problem{{path: b, rule: "must be set together with " + vs.named(a)}}
		case vs.given(b) && !vs.given(a):
			return []problem{{path: a, rule: "must be set together with " + vs.named(b)}}
		default:
			return nil
		}
	}
}

// sender says that mail from an address of one's own goes through Amazon SES,
// and that SES must be told the address if it only knows its domain.
func sender(vs values) []problem {
	identity, ok := vs.get("auth.sesSourceArn")
	switch {
	case vs.given("auth.fromEmailAddress") && !vs.given("auth.sesSourceArn"):
		return []problem{{path: "auth.sesSourceArn", rule: "must be set with auth.fromEmailAddress"}}
	case ok && !vs.given("auth.fromEmailAddress") && !strings.Contains(identity.(string), "@"):
		return []problem{{path: "auth.fromEmailAddress", rule: "must be set with an auth.sesSourceArn that is a domain"}}
	default:
		return nil
	}
}

func modelAllowed(vs values) []problem {
	id, ok := vs.get("model.modelId")
	list, okList := vs.get("model.allowedModelIds")
	if !ok || !okList || slices.Contains(list.([]string), id.(string)) {
		return nil
	}
	return []problem{{"model.allowedModelIds", "must contain model.modelId (" + id.(string) + ")", list}}
}

// pricesAreWhole says that a price is of input and of output.
func pricesAreWhole(vs values) []problem {
	var problems []problem
	for path, v := range vs {
		if v.rule != "model.prices.*" {
			continue
		}
		for _, kind := range []string{".input", ".output"} {
			if !vs.given(path + kind) {
				problems = append(problems, problem{path: path + kind, rule: "must be set"})
			}
		}
	}
	return problems
}

// budgetsNeedPrices says that every allowed model has a price where there is a
// budget: an answer of a model without one would be free.
func budgetsNeedPrices(vs values) []problem {
	allowed, ok := vs.get("model.allowedModelIds")
	if !vs.given("model.allowedModelIds") {
		var id any
		if id, ok = vs.get("model.modelId"); ok {
			allowed = []string{id.(string)}
		}
	}
	if !ok {
		return nil
	}
	unpriced := slices.DeleteFunc(slices.Clone(allowed.([]string)), func(id string) bool { return vs.given("model.prices." + id) })
	if len(unpriced) == 0 {
		return nil
	}
	var problems []problem
	for path, v := range vs {
		if amount, known := vs.number(path); known && amount > 0 && isBudget[v.rule] {
			problems = append(problems, problem{path, "must not be set without a price in model.prices of every allowed model; there is none of " + strings.Join(unpriced, ", "), amount})
		}
	}
	return problems
}

var isBudget = map[string]bool{"quota.monthlyBudget": true, "quota.tiers.*.monthlyBudget": true, "quota.serviceMonthlyBudget": true}

// modelTakesSampling says that the default model takes the default temperature
// and topP.
func modelTakesSampling(vs values) []problem {
	id, ok := vs.get("model.modelId")
	if !ok {
		return nil
	}
	temperature, hasTemperature := vs.get("model.temperature")
	topP, hasTopP := vs.get("model.topP")
	family := modelfamily.Of(id.(string))
	if family.Sampling == modelfamily.SamplingEither && hasTemperature && hasTopP {
		return []problem{{"model.topP", fmt.Sprintf("must not be set together with model.temperature (%v) for model.modelId (%s), which takes one of them", temperature, id), topP}}
	}
	var problems []problem
	for _, refused := range family.RefuseSampling(hasTemperature, hasTopP) {
		value, _ := vs.get("model." + refused.Parameter)
		problems = append(problems, problem{"model." + refused.Parameter, fmt.Sprintf("must not be set for model.modelId (%s): %s", id, refused.Why), value})
	}
	return problems
}

// adoptedPool says that an adopted pool is configured where it was made.
func adoptedPool(vs values) []problem {
	if !vs.given("auth.userPoolId") {
		return nil
	}
	var problems []problem
	for _, path := range []string{
		"auth.selfSignUp", "auth.mfa", "auth.passwordMinimumLength", "auth.idTokenValidityMinutes", "auth.accessTokenValidityMinutes",
		"auth.refreshTokenValidityDays", "auth.userPoolTier", "auth.sesSourceArn", "auth.fromEmailAddress",
	} {
		if vs.given(path) {
			problems = append(problems, problem{path: path, rule: "must not be set with auth.userPoolId: it has no effect on an adopted user pool"})
		}
	}
	return problems
}

func refreshOutlives(path string) func(values) []problem {
	return func(vs values) []problem {
		minutes, ok := vs.number(path)
		days, okDays := vs.number("auth.refreshTokenValidityDays")
		if !ok || !okDays || days*24*60 > minutes {
			return nil
		}
		return []problem{{path, "must be less than auth.refreshTokenValidityDays (" + textOf(days) + " days)", minutes}}
	}
}

func logsNeedKey(vs values) []problem {
	if encrypt, _ := vs.get("protection.encryptLogs"); encrypt == true && !vs.given("protection.kmsKeyArn") {
		return []problem{{path: "protection.encryptLogs", rule: "must be false without protection.kmsKeyArn", got: true}}
	}
	return nil
}

// ownDomain says that the name at path is not another's: one domain name serves
// one API, or the page.
func ownDomain(path, other string) func(values) []problem {
	return func(vs values) []problem {
		name, ok := vs.get(path)
		taken, okTaken := vs.get(other)
		if !ok || !okTaken || !strings.EqualFold(name.(string), taken.(string)) {
			return nil
		}
		return []problem{{path, "must differ from " + other + ": one domain name cannot serve both", name}}
	}
}

// needsSite says that a setting of the page comes with the page.
func needsSite(path string) func(values) []problem {
	return func(vs values) []problem {
		if enabled, _ := vs.get("site.enabled"); enabled == true || !vs.given(path) {
			return nil
		}
		got, _ := vs.get(path)
		return []problem{{path, "must not be set without site.enabled", got}}
	}
}

func domainsNeedCertificate(vs values) []problem {
	if (vs.given("domain.rest") || vs.given("domain.webSocket")) && !vs.given("domain.certificateArn") {
		return []problem{{path: "domain.certificateArn", rule: "must be set with domain.rest and domain.webSocket"}}
	}
	return nil
}

func certificateNeedsDomain(path string) func(values) []problem {
	return func(vs values) []problem {
		if vs.given(path) && !vs.given("domain.rest") && !vs.given("domain.webSocket") {
			return []problem{{path: path, rule: "must not be set without domain.rest or domain.webSocket"}}
		}
		return nil
	}
}

func logRoleNeedsLogs(vs values) []problem {
	if logs, _ := vs.get("observability.accessLogs"); logs == false && vs.given("observability.apiGatewayLogRole") {
		return []problem{{path: "observability.apiGatewayLogRole", rule: "must not be set without observability.accessLogs"}}
	}
	return nil
}
