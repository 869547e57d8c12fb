package dynamo_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// sent is one group of expressions as it went over the wire.
type sent struct {
	updates, conditions []string
	names, values       map[string]any
}

// expressionsOf finds the expressions of a call, in the parts of a transaction
// too.
func expressionsOf(body map[string]any) (found []sent) {
	text := func(name string) (out []string) {
		if s, ok := body[name].(string); ok {
			out = append(out, s)
		}
		return out
	}
	s := sent{updates: text("UpdateExpression")}
	for _, name := range []string{"ConditionExpression", "FilterExpression", "KeyConditionExpression"} {
		s.conditions = append(s.conditions, text(name)...)
	}
	s.names, _ = body["ExpressionAttributeNames"].(map[string]any)
	s.values, _ = body["ExpressionAttributeValues"].(map[string]any)
	if len(s.updates)+len(s.conditions) > 0 {
		found = append(found, s)
	}
	parts, _ := body["TransactItems"].([]any)
	for _, part := range parts {
		for _, action := range part.(map[string]any) {
			found = append(found, expressionsOf(action.(map[string]any))...)
		}
	}
	return found
}

// useEverything calls every method of the store in every form.
func useEverything(t *testing.T, db *dynamotest.Database) {
	t.Helper()
	rated := func(at time.Duration) life.Record {
		a := admission("u", life.NewRequestID(), func(a *life.Admission) {
			a.Now = start.Add(at)
			a.Rate = life.NewRate(10, 5)
			a.Groups, a.ByToken = []string{"gold"}, true
			a.Allowance.MonthlyBudget = protocol.Dollar
		})
		if err := admit(t, db, a); err != nil {
			t.Fatal(err)
		}
		return a.Record
	}
	idle, busy := rated(0), rated(time.Millisecond)
	unlimited := admission("u", life.NewRequestID(), func(a *life.Admission) { a.Allowance, a.Cap = life.Allowance{}, 0 })
	steps := []func() error{
		func() error { return admit(t, db, unlimited) },
		func() error { return db.CountUpload(ctx, "u", start) },
		func() error { _, err := db.Keep(ctx, idle.Key); return err },
		func() error { _, err := db.TakeBack(ctx, busy); return err },
		func() error {
			attempt := claimed(t, db, idle.Key, start).Fence()
			_, err := db.CountCall(ctx, attempt)
			return errors.Join(err, db.Renew(ctx, attempt, start))
		},
		func() error { _, err := db.RequestCancel(ctx, idle.Key, start); return err },
		func() error { _, err := db.MarkResend(ctx, unlimited.Record.Key, start, start); return err },
		func() error { return db.Release(ctx, claimed(t, db, unlimited.Record.Key, start).Fence(), start) },
		func() error {
			r, err := db.Finish(ctx, claimed(t, db, unlimited.Record.Key, start).Fence(), life.End{
				Status: protocol.StatusSucceeded, EndSeq: 2, StopReason: "end_turn", ErrorCode: protocol.CodeInternal, Final: true,
				Usage: &protocol.TokenUsage{InputTokens: 3, CacheReadTokens: 1},
			}, start)
			if err != nil {
				return err
			}
			_, err = db.Settle(ctx, r)
			return err
		},
		func() error {
			_, err := db.Settle(ctx, life.Record{Key: idle.Key, Period: period, Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, StopReason: "end_turn"})
			return err
		},
		func() error {
			_, err := db.EndUnowned(ctx, idle.Key, life.Ended(protocol.CodeExpired), start.Add(time.Hour))
			return err
		},
		func() error { _, err := db.Spending(ctx, period); return err },
		func() error { _, err := db.Chunks(ctx, "r", "o", 3); return err },
		func() error { _, err := db.Connections(ctx, "u", false); return err },
		func() error { return db.DeleteConnection(ctx, life.Connection{UserID: "u", ConnectionID: "c"}, start) },
		func() error { return db.CloseMonth(ctx, "u", period) },
		func() error { return db.ForgetMonth(ctx, "u", period) },
		func() error {
			_, _, err := db.OpenAccounts(ctx, 1, start, life.OpenMark{UserID: "u", Since: start})
			return err
		},
		func() error { _, err := db.CountOpenAccounts(ctx, 1, start, life.OpenMark{}); return err },
		func() error { return db.LeaveOpen(ctx, "u") },
		func() error { return db.SaveProgress(ctx, nil) },
		func() error {
			return errors.Join(db.CreateKey(ctx, personalKey("u", "k"), nil), db.DeleteKey(ctx, "u", "k"))
		},
		func() error { return db.Accounts(ctx, func(life.Account) error { return nil }) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func TestExpressionsAreDynamoDBs(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	useEverything(t, db)
	var seen []string
	for _, call := range db.Calls() {
		for _, s := range expressionsOf(call.Body) {
			for _, e := range s.updates {
				if err := parseUpdate(e); err != nil {
					t.Errorf("%s: update %q: %v", call.Operation, e, err)
				}
			}
			for _, e := range s.conditions {
				if err := parseCondition(e); err != nil {
					t.Errorf("%s: condition %q: %v", call.Operation, e, err)
				}
			}
			expressions := append(s.updates, s.conditions...)
			checkBound(t, expressions, `#[A-Za-z]+`, s.names)
			checkBound(t, expressions, `:[A-Za-z]+`, s.values)
			seen = append(seen, expressions...)
		}
	}
	for name, literal := range literals(t) {
		if !slices.ContainsFunc(seen, func(e string) bool { return strings.Contains(e, literal) }) {
			t.Errorf("%s was never sent: %q", name, literal)
		}
	}
}

// checkBound checks that exactly what the expressions mention is bound:
// DynamoDB refuses what is missing and what is left over.
func checkBound(t *testing.T, expressions []string, pattern string, bound map[string]any) {
	t.Helper()
	mentioned := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllString(strings.Join(expressions, " "), -1) {
		mentioned[m] = true
		if bound[m] == nil {
			t.Errorf("%s is not bound in %q", m, expressions)
		}
	}
	for name := range bound {
		if !mentioned[name] {
			t.Errorf("%s is bound but not mentioned in %q", name, expressions)
		}
	}
}

// literals reads the string literals of the expressions from the source, so that
// none escapes the test.
func literals(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "expressions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		ast.Inspect(spec, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(lit.Value)
			if err == nil && !strings.Contains(value, "[A-Z") {
				found[spec.Names[0].Name+"/"+value] = value
			}
			return true
		})
		return false
	})
	if len(found) < 30 {
		t.Fatalf("found only %d literals", len(found))
	}
	return found
}
