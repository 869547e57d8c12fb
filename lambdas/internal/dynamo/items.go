package dynamo

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/schema"
	"github.com/streaming-service/streaming-service/lambdas/internal/groups"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Prefixes of an account's attributes of one period.
const (
	usedPrefix       = "used#"
	tokensPrefix     = "tokens#"
	heldPrefix       = "held#"
	costPrefix       = "cost#"
	heldCostPrefix   = "heldCost#"
	unansweredPrefix = "unanswered#"
)

// newRecord is the item of a record at its admission, by a caller that may hold
// its first attempt.
func newRecord(r life.Record) item {
	i := recordKey(r.Key)
	i["v"] = number(protocol.Version)
	i["period"] = text(r.Period)
	i["est"] = number(r.Estimate)
	i["bodyHash"] = text(r.BodyHash)
	i["nonce"] = text(r.Nonce)
	i["model"] = modelItem(r.Model)
	i["status"] = text(string(r.Status))
	i["attempt"] = number(int64(r.Attempt))
	i["attemptCap"] = number(int64(r.AttemptCap))
	i["createdAt"] = millis(r.CreatedAt)
	i["updatedAt"] = millis(r.CreatedAt)
	if r.Claimed() {
		i["calls"] = number(int64(r.Calls))
		i["owner"] = text(r.Owner)
		i["leaseUntil"] = millis(r.LeaseUntil)
		i["firstClaimAt"] = millis(r.FirstClaimAt)
	}
	if r.Price != nil {
		i["price"] = priceItem(*r.Price)
		i["estCost"] = amount(r.CostEstimate)
	}
	if r.ForService {
		i["forService"] = boolean(true)
	}
	if r.RefundsSpent {
		i["refundsSpent"] = boolean(true)
	}
	return i
}

func modelItem(m life.ModelParameters) types.AttributeValue {
	i := item{"id": text(m.ModelID), "maxTokens": number(int64(m.MaxTokens))}
	if m.Temperature != nil {
		i["temperature"] = decimal(*m.Temperature)
	}
	if m.TopP != nil {
		i["topP"] = decimal(*m.TopP)
	}
	return &types.AttributeValueMemberM{Value: i}
}

// priceItem holds a price in nano-dollars per million tokens.
func priceItem(p life.Price) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: item{
		"in": amount(p.Input), "out": amount(p.Output), "read": amount(p.CacheRead), "write": amount(p.CacheWrite),
	}}
}

func readPrice(i item) *life.Price {
	if i == nil {
		return nil
	}
	return &life.Price{
		Input: getAmount(i, "in"), Output: getAmount(i, "out"), CacheRead: getAmount(i, "read"), CacheWrite: getAmount(i, "write"),
	}
}

func readRecord(i item) life.Record {
	model := getMap(i, "model")
	r := life.Record{
		Key:          life.Key{UserID: userOf(i), RequestID: strings.TrimPrefix(getText(i, sortKey), requestPrefix)},
		Period:       getText(i, "period"),
		Estimate:     getNumber(i, "est"),
		Price:        readPrice(getMap(i, "price")),
		CostEstimate: getAmount(i, "estCost"),
		ForService:   getBoolean(i, "forService"),
		BodyHash:     getText(i, "bodyHash"),
		Nonce:        getText(i, "nonce"),
		Model: life.ModelParameters{
			ModelID:     getText(model, "id"),
			MaxTokens:   int(getNumber(model, "maxTokens")),
			Temperature: getDecimal(model, "temperature"),
			TopP:        getDecimal(model, "topP"),
		},
		Status:       protocol.Status(getText(i, "status")),
		Attempt:      int(getNumber(i, "attempt")),
		AttemptCap:   int(getNumber(i, "attemptCap")),
		Calls:        int(getNumber(i, "calls")),
		Owner:        getText(i, "owner"),
		LeaseUntil:   getMillis(i, "leaseUntil"),
		Cancel:       getBoolean(i, "cancel"),
		Kept:         getBoolean(i, "kept"),
		FirstClaimAt: getMillis(i, "firstClaimAt"),
		ResendAt:     getMillis(i, "resendAt"),
		EndSeq:       int(getNumber(i, "endSeq")),
		StopReason:   getText(i, "stopReason"),
		ErrorCode:    protocol.Code(getText(i, "errCode")),
		Final:        getBoolean(i, "final"),
		RefundsSpent: getBoolean(i, "refundsSpent"),
		CreatedAt:    getMillis(i, "createdAt"),
		UpdatedAt:    getMillis(i, "updatedAt"),
		ExpiresAt:    getSeconds(i, "expiresAt"),
	}
	if _, ok := i["usageIn"]; ok {
		r.Usage = &protocol.TokenUsage{
			InputTokens:      getNumber(i, "usageIn"),
			OutputTokens:     getNumber(i, "usageOut"),
			CacheReadTokens:  getNumber(i, "usageRead"),
			CacheWriteTokens: getNumber(i, "usageWrite"),
			Estimated:        getBoolean(i, "usageEst"),
		}
	}
	return r
}

func readAccount(userID string, i item) life.Account {
	a := life.Account{
		UserID:           userID,
		TAT:              getMillis(i, "tat"),
		InFlight:         getNumber(i, "inFlight"),
		OpenSince:        getMillis(i, schema.OpenSince),
		Months:           map[string]life.Month{},
		TierOverride:     getText(i, "tierOverride"),
		OverrideRequests: getOptional(i, "overrideRequests"),
		OverrideTokens:   getOptional(i, "overrideTokens"),
		Grant: life.Grant{
			Requests: getNumber(i, "grantRequests"),
			Tokens:   getNumber(i, "grantTokens"),
			Budget:   getAmount(i, "grantBudget"),
			Until:    getMillis(i, "grantUntil"),
		},
		BlockedUntil: getMillis(i, "blockedUntil"),
		Groups:       readGroups(i),
	}
	if budget := getOptional(i, "overrideBudget"); budget != nil {
		a.OverrideBudget = (*protocol.USD)(budget)
	}
	for _, id := range getSet(i, "open") {
		if id != life.OpenAnchor {
			a.Open = append(a.Open, id)
		}
	}
	for name, v := range i {
		if prefix, period, ok := strings.Cut(name, "#"); ok {
			a.Months[period] = counted(a.Months[period], prefix+"#", v)
		}
	}
	for period, m := range a.Months {
		if _, open := i[heldPrefix+period]; open {
			a.Unclosed = append(a.Unclosed, period)
			continue
		}
		m.Held, m.HeldCost = m.Tokens, m.Cost
		a.Months[period] = m
	}
	slices.Sort(a.Unclosed)
	return a
}

// counted returns a month with one of its counters.
func counted(m life.Month, prefix string, v types.AttributeValue) life.Month {
	switch n := toNumber(v); prefix {
	case usedPrefix:
		m.Used = n
	case tokensPrefix:
		m.Tokens = n
	case heldPrefix:
		m.Held = n
	case costPrefix:
		m.Cost = protocol.USD(n)
	case heldCostPrefix:
		m.HeldCost = protocol.USD(n)
	case unansweredPrefix:
		m.Unanswered = n
	}
	return m
}

// groupsText holds groups as the token's claim does where it is a text.
func groupsText(names []string) types.AttributeValue { return text(strings.Join(names, ",")) }

func readGroups(i item) []string {
	if names := getText(i, "groups"); names != "" {
		return groups.Parse(names)
	}
	return nil
}

func texts(values []string) types.AttributeValue {
	list := make([]types.AttributeValue, len(values))
	for n, v := range values {
		list[n] = text(v)
	}
	return &types.AttributeValueMemberL{Value: list}
}

func readTexts(i item, name string) []string {
	var out []string
	for _, v := range getList(i, name) {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			out = append(out, s.Value)
		}
	}
	return out
}

func connectionItem(c life.Connection) item {
	i := connectionKey(c.UserID, c.ConnectionID)
	i["v"] = number(protocol.Version)
	i["connectedAt"] = millis(c.ConnectedAt)
	i["tokenExp"] = seconds(c.TokenExpires)
	i["expiresAt"] = seconds(c.ExpiresAt)
	return i
}

func readConnection(i item) life.Connection {
	return life.Connection{
		UserID:       userOf(i),
		ConnectionID: getText(i, sortKey),
		ConnectedAt:  getMillis(i, "connectedAt"),
		TokenExpires: getSeconds(i, "tokenExp"),
		ExpiresAt:    getSeconds(i, "expiresAt"),
	}
}
