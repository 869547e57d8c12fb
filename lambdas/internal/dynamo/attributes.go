package dynamo

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/protocol"
)

// Item is an item, a key or the values of an expression.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func amount(a protocol.USD) types.AttributeValue { return number(int64(a)) }

// smallestNumber is the smallest that DynamoDB stores; it refuses smaller ones.
const smallestNumber = 1e-130

func decimal(f float64) types.AttributeValue {
	if math.Abs(f) < smallestNumber {
		f = 0
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatFloat(f, 'g', -1, 64)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func set(members ...string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: members}
}

// millis is a time in milliseconds; the zero time is 0.
func millis(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return number(0)
	}
	return number(t.UnixMilli())
}

// seconds is a time as DynamoDB's time to live wants it.
func seconds(t time.Time) types.AttributeValue { return number(t.Unix()) }

func getText(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func getNumber(i item, name string) int64 { return toNumber(i[name]) }

func toNumber(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(n.Value, 64)
	return int64(f)
}

func getAmount(i item, name string) protocol.USD { return protocol.USD(getNumber(i, name)) }

func getOptional(i item, name string) *int64 {
	if _, ok := i[name].(*types.AttributeValueMemberN); !ok {
		return nil
	}
	n := getNumber(i, name)
	return &n
}

func getDecimal(i item, name string) *float64 {
	n, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		return nil
	}
	return &f
}

func getBoolean(i item, name string) bool {
	v, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

func getMillis(i item, name string) time.Time {
	if n := getNumber(i, name); n != 0 {
		return time.UnixMilli(n)
	}
	return time.Time{}
}

func getSeconds(i item, name string) time.Time {
	if n := getNumber(i, name); n != 0 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}

func getMap(i item, name string) item {
	if v, ok := i[name].(*types.AttributeValueMemberM); ok {
		return v.Value
	}
	return nil
}

func getBytes(i item, name string) []byte {
	if v, ok := i[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}

func getSet(i item, name string) []string {
	if v, ok := i[name].(*types.AttributeValueMemberSS); ok {
		return slices.Sorted(slices.Values(v.Value))
	}
	return nil
}

func getList(i item, name string) []types.AttributeValue {
	if v, ok := i[name].(*types.AttributeValueMemberL); ok {
		return v.Value
	}
	return nil
}
