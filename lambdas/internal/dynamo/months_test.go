package dynamo_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

// TestAccountOfManyMonthsStaysWithinAWriteUnit: an account that remembers a year
// of money is written for one unit, in a transaction two.
func TestAccountOfManyMonthsStaysWithinAWriteUnit(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	const user = "01234567-89ab-cdef-0123-456789abcdef"
	for month := range 20 {
		now := start.AddDate(0, month, 0)
		account, err := db.Account(ctx, user)
		if err != nil {
			t.Fatal(err)
		}
		a := admission(user, life.NewRequestID(), func(a *life.Admission) {
			a.Now, a.Record.Period, a.Record.Estimate = now, now.Format("2006-01"), 9_999_999
			a.Record.CostEstimate, a.Rate, a.Allowance = 123_456_789_012, life.NewRate(1, 10), life.Allowance{}
			a.Groups, a.ByToken = []string{"gold"}, true
		})
		if err := errors.Join(db.Admit(ctx, a, account), tidy(db, account)); err != nil {
			t.Fatal(err)
		}
		if units := unitsOfAnUpdate(t, db, user); units != 1 {
			t.Fatalf("in month %d an update of the account takes %v units: %v", month+1, units, account.Unclosed)
		}
		ended, err := db.EndUnowned(ctx, a.Record.Key, life.End{Status: protocol.StatusSucceeded, Usage: &protocol.TokenUsage{InputTokens: 9_000_000, OutputTokens: 999_999}}, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Settle(ctx, ended); err != nil {
			t.Fatal(err)
		}
	}
	account, err := db.Account(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	for period, m := range account.Months {
		if m.Cost == 0 || m.ReservedCost() != 0 || m.Reserved() != 0 || m.Tokens != 9_999_999 {
			t.Errorf("%s: %+v", period, m)
		}
	}
	if len(account.Months) != 14 || len(account.Unclosed) != 3 { // until the next admission
		t.Errorf("%d months, unclosed %v", len(account.Months), account.Unclosed)
	}
}

func tidy(db *dynamotest.Database, account life.Account) (err error) {
	if period := account.Forgettable(); period != "" {
		err = db.ForgetMonth(ctx, account.UserID, period)
	}
	if period := account.Closable(); period != "" {
		err = errors.Join(err, db.CloseMonth(ctx, account.UserID, period))
	}
	return err
}

// TestOpenMonthIsNotClosed: what is reserved is still to be settled.
func TestOpenMonthIsNotClosed(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	record := admitted(t, db, "u")
	if err := db.CloseMonth(ctx, "u", period); err != nil {
		t.Fatal(err)
	}
	account, err := db.Account(ctx, "u")
	if m := account.Months[period]; err != nil || m.Held != record.Estimate || m.HeldCost != record.CostEstimate {
		t.Errorf("account %+v, %v", account, err)
	}
}

func unitsOfAnUpdate(t *testing.T, db *dynamotest.Database, user string) float64 {
	t.Helper()
	out, err := db.Client.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{
		TableName: &dynamotest.Tables.Quota,
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "u#" + user}, "sk": &types.AttributeValueMemberS{Value: "account"},
		},
		UpdateExpression:          aws.String("SET v = :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityIndexes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ConsumedCapacity.Table.CapacityUnits
}
