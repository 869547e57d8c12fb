package operator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	ann     = "ann@example.com"
	pool    = "us-east-1_operator"
	tiers   = `{"default":{"monthlyRequests":10,"monthlyTokens":1000},"groups":{"gold":{"monthlyRequests":100,"monthlyTokens":0}}}`
	unknown = "nobody@example.com"
)

// connect starts a service with one user and connects an operator to it.
func connect(t *testing.T, variables map[string]string) *operator.Operator {
	t.Helper()
	tables, users := dynamotest.NewService(t), cognito.New(cognito.Deps{Guard: awsapi.Open{}})
	if _, err := users.PutUserPool(cognito.UserPool{ID: pool, UsernameAttributes: []string{"email"}, PasswordPolicy: cognito.DefaultPasswordPolicy}); err != nil {
		t.Fatal(err)
	}
	if err := users.PutGroup(cognito.Group{UserPoolID: pool, Name: "gold"}); err != nil {
		t.Fatal(err)
	}
	if _, err := users.CreateUser(pool, ann, "Correct-horse-9", "gold"); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasPrefix(target, "DynamoDB_"):
			tables.ServeHTTP(w, r)
		case target != "":
			users.ServeHTTP(w, r)
		case r.URL.Path == "/2015-03-31/functions/quota/configuration":
			_ = json.NewEncoder(w).Encode(map[string]any{"Environment": map[string]any{"Variables": variables}})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	o, err := operator.Connect(t.Context(), operator.Target{Function: "quota", UserPoolID: pool, Endpoint: web.URL, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func variables() map[string]string {
	return map[string]string{
		environment.QuotaTable: dynamotest.Tables.Quota, environment.RequestsTable: dynamotest.Tables.Requests,
		environment.QuotaTiers: tiers, environment.AllowedModelIDs: "m,n", environment.ModelPrices: `{"m":{"input":1,"output":2}}`,
	}
}

func TestConnectSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, target := range []operator.Target{{UserPoolID: pool}, {Function: "quota"}} {
		if _, err := operator.Connect(t.Context(), target); err == nil || !strings.Contains(err.Error(), "must be named") {
			t.Errorf("connecting to %+v: %v", target, err)
		}
	}
}

func TestLimitsOfAUser(t *testing.T) {
	t.Parallel()
	o, ctx := connect(t, variables()), t.Context()
	limit := func() int64 {
		status, err := o.Show(ctx, ann)
		if err != nil {
			t.Fatal(err)
		}
		return *status.Usage.Requests.Limit
	}
	if got := limit(); got != 100 {
		t.Errorf("the limit is %d, want that of the group gold, 100", got)
	}
	requests := int64(7)
	if err := o.Set(ctx, ann, operator.Override{MonthlyRequests: &requests}); err != nil || limit() != 7 {
		t.Errorf("after an override the limit is %d, %v, want 7", limit(), err)
	}
	if err := o.Grant(ctx, ann, operator.Addition{Requests: 5}, time.Now().Add(time.Hour)); err != nil || limit() != 12 {
		t.Errorf("after a grant the limit is %d, %v, want 12", limit(), err)
	}
	if err := o.Clear(ctx, ann); err != nil || limit() != 105 {
		t.Errorf("without the override the limit is %d, %v, want 105", limit(), err)
	}
	if err := o.Block(ctx, ann, operator.Forever); err != nil {
		t.Fatal(err)
	}
	status, err := o.Show(ctx, ann)
	if err != nil || status.BlockedUntil != "9999-12-31T00:00:00Z" || status.Email != ann || !slices.Equal(status.Groups, []string{"gold"}) {
		t.Errorf("the blocked user is %+v, %v", status, err)
	}
	if err := o.Unblock(ctx, ann); err != nil {
		t.Fatal(err)
	}
	if status, err = o.Show(ctx, ann); err != nil || status.BlockedUntil != "" {
		t.Errorf("after the block the user is %+v, %v", status, err)
	}
}

// What is refused changes nothing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	o, ctx := connect(t, variables()), t.Context()
	budget, past := protocol.USD(1_000_000_000), time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"nothing":          {o.Set(ctx, ann, operator.Override{}), "nothing to set"},
		"no such tier":     {o.Set(ctx, ann, operator.Override{Tier: "silver"}), `no tier "silver" is configured; tiers are default, gold`},
		"no price":         {o.Set(ctx, ann, operator.Override{MonthlyBudget: &budget}), "without one are n"},
		"past grant":       {o.Grant(ctx, ann, operator.Addition{Requests: 1}, past), "must end in the future"},
		"empty grant":      {o.Grant(ctx, ann, operator.Addition{}, operator.Forever), "must add requests, tokens or budget"},
		"past block":       {o.Block(ctx, ann, past), "must end in the future"},
		"unknown user":     {o.Block(ctx, unknown, operator.Forever), "no such user"},
		"key of nobody":    {o.RevokeKey(ctx, ann, "k1"), "no such key: k1"},
		"no such period":   {exported(o.Export(ctx, "November")), `a period is a month such as 2026-11, got "November"`},
		"a period too old": {audited(t, o), "may be gone"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, test.err, test.want)
		}
	}
	if err := o.Block(ctx, unknown, operator.Forever); !errors.Is(err, operator.ErrNoUser) {
		t.Errorf("the error of an unknown user is %v", err)
	}
	if status, err := o.Show(ctx, ann); err != nil || status.Override != nil || status.Grant != nil || status.BlockedUntil != "" {
		t.Errorf("the user is %+v, %v", status, err)
	}
}

func exported(_ []operator.Entry, err error) error { return err }

func audited(t *testing.T, o *operator.Operator) error {
	t.Helper()
	_, _, err := o.Audit(t.Context(), "2020-01")
	return err
}

func TestFraction(t *testing.T) {
	t.Parallel()
	limit, none := int64(10), int64(0)
	dollars := protocol.USD(4_000_000_000)
	for name, test := range map[string]struct {
		usage protocol.Usage
		want  float64
	}{
		"unlimited":       {protocol.Usage{}, 0},
		"of nothing":      {protocol.Usage{Requests: protocol.RequestsUsage{Used: 3, Limit: &none}}, 0},
		"requests":        {protocol.Usage{Requests: protocol.RequestsUsage{Used: 5, Limit: &limit}}, 0.5},
		"reserved tokens": {protocol.Usage{Requests: protocol.RequestsUsage{Used: 5, Limit: &limit}, Tokens: protocol.TokensUsage{Used: 5, Reserved: 4, Limit: &limit}}, 0.9},
		"budget":          {protocol.Usage{Budget: &protocol.BudgetUsage{Used: dollars, Reserved: dollars, Limit: &dollars}}, 2},
	} {
		if got := (operator.Status{Usage: test.usage}).Fraction(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
