package dynamo_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestForgetMonth(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	a := admission("u", life.NewRequestID(), nil)
	if err := db.Admit(ctx, a, life.Account{UserID: "u"}); err != nil {
		t.Fatal(err)
	}
	forget := func(period string) life.Account {
		t.Helper()
		if err := db.ForgetMonth(ctx, "u", period); err != nil {
			t.Fatal(err)
		}
		account, err := db.Account(ctx, "u")
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	if account := forget(period); account.Months[period].Held != a.Record.Estimate {
		t.Errorf("with an open request: %+v", account)
	}
	ended, err := db.EndUnowned(ctx, a.Record.Key, life.End{Status: protocol.StatusSucceeded, Usage: &protocol.TokenUsage{InputTokens: 7}}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Settle(ctx, ended); err != nil {
		t.Fatal(err)
	}
	if account := forget("1999-12"); account.Months[period].Tokens != 7 {
		t.Errorf("after a month that never was: %+v", account)
	}
	if account := forget(period); len(account.Months) != 0 {
		t.Errorf("settled: %+v", account)
	}
}
