package dynamodb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// edit is one UpdateItem of the item p/s.
type edit struct {
	update, condition string
	names             map[string]string
	values            map[string]types.AttributeValue
}

func (e edit) input() *sdk.UpdateItemInput {
	in := &sdk.UpdateItemInput{
		TableName: aws.String(table), Key: item("pk", "p", "sk", "s"),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValues: types.ReturnValueAllNew,
	}
	if e.update != "" {
		in.UpdateExpression = aws.String(e.update)
	}
	if e.condition != "" {
		in.ConditionExpression = aws.String(e.condition)
	}
	return in
}

// TestUpdate runs expressions on {n: 5, m: {a: 1}, tags: {x, y}, list: [1, 2], text: hello}.
func TestUpdate(t *testing.T) {
	t.Parallel()
	base := []any{
		"pk", "p", "sk", "s", "n", 5, "m", item("a", 1), "tags", []string{"x", "y"},
		"list", []types.AttributeValue{value(1), value(2)}, "text", "hello",
	}
	tests := []struct {
		name    string
		edit    edit
		want    map[string]types.AttributeValue // changed attributes; nil value: gone
		wantErr string                          // part of "Code: message"
	}{
		{"REMOVE beside SET", edit{update: "SET n = :v REMOVE #t", names: map[string]string{"#t": "text"}, values: item(":v", 6)}, item("n", 6, "text", types.AttributeValue(nil)), ""},
		{"REMOVE beside ADD", edit{update: "REMOVE tags ADD n :v", values: item(":v", 2)}, item("n", 7, "tags", types.AttributeValue(nil)), ""},
		{"DELETE beside SET", edit{update: "SET n = n - :v DELETE tags :g", values: item(":v", 2, ":g", []string{"x"})}, item("n", 3, "tags", []string{"y"}), ""},
		{"DELETE of the last element", edit{update: "DELETE tags :g", values: item(":g", []string{"x", "y"})}, item("tags", types.AttributeValue(nil)), ""},
		{"ADD to an absent set", edit{update: "ADD #o :g", names: map[string]string{"#o": "open"}, values: item(":g", []string{"-", "r"})}, item("open", []string{"-", "r"}), ""},
		{"ADD to an absent number", edit{update: "ADD fresh :v", values: item(":v", 3)}, item("fresh", 3), ""},
		{"SET sees old values", edit{update: "SET n = :v, k = n", values: item(":v", 9)}, item("n", 9, "k", 5), ""},
		{"swap with an absent one", edit{update: "SET n = k, k = n"}, nil, "does not exist in the item"},
		{"if_not_exists", edit{update: "SET z = if_not_exists(z, :zero) + :v", values: item(":zero", 0, ":v", 4)}, item("z", 4), ""},
		{"list_append", edit{update: "SET #l = list_append(#l, :l)", names: map[string]string{"#l": "list"}, values: item(":l", []types.AttributeValue{value(3)})},
			item("list", []types.AttributeValue{value(1), value(2), value(3)}), ""},
		{"nested member", edit{update: "SET m.b = :v", values: item(":v", 2)}, item("m", item("a", 1, "b", 2)), ""},
		{"nested remove", edit{update: "REMOVE m.a, #l[0]", names: map[string]string{"#l": "list"}}, item("m", item(), "list", []types.AttributeValue{value(2)}), ""},
		{"big numbers keep their digits", edit{update: "SET n = :a + :b", values: item(":a", &types.AttributeValueMemberN{Value: "12345678901234567890123456789012345678"}, ":b", 1)},
			item("n", &types.AttributeValueMemberN{Value: "12345678901234567890123456789012345679"}), ""},

		{"two operators", edit{update: "SET n = n + :v + :v", values: item(":v", 1)}, nil, `ValidationException: Invalid UpdateExpression: Syntax error; token: "+"`},
		{"three operands over an absent one", edit{update: "SET n = n - :v - :v", values: item(":v", 1)}, nil, "Syntax error"},
		{"arithmetic with text", edit{update: "SET n = n + :v", values: item(":v", "1")}, nil, "Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{"arithmetic on text", edit{update: "SET n = #t + :v", names: map[string]string{"#t": "text"}, values: item(":v", 1)}, nil, "incorrect data type"},
		{"absent operand", edit{update: "SET n = gone + :v", values: item(":v", 1)}, nil, "refers to an attribute that does not exist"},
		{"reserved word", edit{update: "SET status = :v", values: item(":v", 1)}, nil, "Attribute name is a reserved keyword; reserved keyword: status"},
		{"reserved word in a condition", edit{update: "SET n = :v", condition: "owner = :v", values: item(":v", 1)}, nil, "reserved keyword: owner"},
		{"clause twice", edit{update: "SET n = :v SET k = :v", values: item(":v", 1)}, nil, `The "SET" section can only be used once`},
		{"overlapping paths", edit{update: "SET m.a = :v REMOVE m", values: item(":v", 1)}, nil, "Two document paths overlap"},
		{"key attribute", edit{update: "SET sk = :v", values: item(":v", "x")}, nil, "Cannot update attribute sk. This attribute is part of the key"},
		{"unused value", edit{update: "SET n = :v", values: item(":v", 1, ":w", 2)}, nil, "unused in expressions: keys: {:w}"},
		{"unused name", edit{update: "SET n = :v", names: map[string]string{"#x": "x"}, values: item(":v", 1)}, nil, "ExpressionAttributeNames unused in expressions: keys: {#x}"},
		{"undefined value", edit{update: "SET n = :v"}, nil, "attribute value used in expression is not defined; attribute value: :v"},
		{"undefined name", edit{update: "SET #x = :v", values: item(":v", 1)}, nil, "not defined; attribute name: #x"},
		{"ADD of text", edit{update: "ADD n :v", values: item(":v", "x")}, nil, "operand type: S"},
		{"invalid path", edit{update: "SET gone.a = :v", values: item(":v", 1)}, nil, "document path provided in the update expression is invalid"},
		{"empty expression", edit{update: " "}, nil, "The expression can not be empty"},
		{"redundant parentheses", edit{update: "SET n = :v", condition: "((n = :w))", values: item(":v", 1, ":w", 5)}, nil, "redundant parentheses"},
		{"empty set", edit{update: "SET g = :v", values: item(":v", []string{})}, nil, "set may not be empty"},
		{"item too large", edit{update: "SET big = :v", values: item(":v", strings.Repeat("x", 400<<10))}, nil, "Item size to update has exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, newService(t))
			put(t, client, base...)
			out, err := client.UpdateItem(context.Background(), test.edit.input())
			if test.wantErr != "" {
				wantAPIError(t, err, "ValidationException", test.wantErr)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := item(base...)
			for name, changed := range test.want {
				want[name] = changed
				if changed == nil {
					delete(want, name)
				}
			}
			wantItem(t, out.Attributes, want)
			wantItem(t, get(t, client, "p", "s"), want)
		})
	}
}

// TestCondition evaluates conditions on {n: 5, text: hello, tags: {x, y}, m: {a: 1}}.
func TestCondition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		condition string
		values    map[string]types.AttributeValue
		want      bool
		wantErr   string
	}{
		{"n < :v", item(":v", 6), true, ""},
		{"n < :v", item(":v", 5), false, ""},
		{"gone < :v", item(":v", 6), false, ""},
		{"gone <> :v", item(":v", 6), true, ""},
		{"gone = :v", item(":v", 6), false, ""},
		{"n = :v", item(":v", "5"), false, ""},
		{"attribute_not_exists(gone) OR gone < :v", item(":v", 6), true, ""},
		{"contains(gone, :v)", item(":v", "x"), false, ""},
		{"attribute_not_exists(gone) OR contains(gone, :v)", item(":v", "x"), true, ""},
		{"contains(tags, :v)", item(":v", "x"), true, ""},
		{"contains(tags, :v)", item(":v", "z"), false, ""},
		{"contains(words, :v)", item(":v", "ell"), true, ""},
		{"contains(n, :v)", item(":v", 5), false, ""},
		{"NOT contains(gone, :v)", item(":v", "x"), true, ""},
		{"size(gone) < :v", item(":v", 10), false, ""},
		{"attribute_not_exists(gone) OR size(gone) < :v", item(":v", 1), true, ""},
		{"size(words) = :v", item(":v", 5), true, ""},
		{"size(tags) = :v", item(":v", 2), true, ""},
		{"begins_with(words, :v)", item(":v", "he"), true, ""},
		{"begins_with(gone, :v)", item(":v", "he"), false, ""},
		{"n BETWEEN :a AND :b", item(":a", 5, ":b", 6), true, ""},
		{"n IN (:a, :b)", item(":a", 4, ":b", 5), true, ""},
		{"attribute_type(n, :v)", item(":v", "N"), true, ""},
		{"m.a = :v AND NOT n = :v", item(":v", 1), true, ""},
		{"n = :a OR n = :b AND words = :a", item(":a", 5, ":b", 6), true, ""},
		{"(n = :a OR n = :b) AND words = :a", item(":a", 5, ":b", 6), false, ""},

		{"n < :v", item(":v", true), false, "operand type: BOOL"},
		{"begins_with(words, :v)", item(":v", 1), false, "operand type: N"},
		{"n BETWEEN :a AND :b", item(":a", 6, ":b", 5), false, "upper bound to be greater than or equal to lower bound"},
		{"n = n AND n = :v", item(":v", 5), false, "must be distinct from the remaining operands"},
		{"unknown(n, :v)", item(":v", 5), false, "Invalid function name; function: unknown"},
		{"contains(n) AND n = :v", item(":v", 5), false, "Incorrect number of operands"},
		{"n == :v", item(":v", 5), false, `Syntax error; token: "="`},
		{"n = :v AND", item(":v", 5), false, "Syntax error; token: \"<EOF>\""},
		{"n = :v n", item(":v", 5), false, "Syntax error"},
		{"size(words)", nil, false, "Syntax error"},
		{"if_not_exists(n, :v) = :v", item(":v", 5), false, "Invalid function name"},
	}
	for _, test := range tests {
		t.Run(test.condition, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, newService(t))
			put(t, client, "pk", "p", "sk", "s", "n", 5, "words", "hello", "tags", []string{"x", "y"}, "m", item("a", 1))
			_, err := client.DeleteItem(context.Background(), &sdk.DeleteItemInput{
				TableName: aws.String(table), Key: item("pk", "p", "sk", "s"),
				ConditionExpression: aws.String(test.condition), ExpressionAttributeValues: test.values,
			})
			switch {
			case test.wantErr != "":
				wantAPIError(t, err, "ValidationException", test.wantErr)
			case test.want && err != nil:
				t.Errorf("got %v, want success", err)
			case !test.want:
				wantAPIError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
			}
		})
	}
}

func TestFailedConditionReturnsItem(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	put(t, client, "pk", "p", "sk", "s", "n", 5)
	for _, asked := range []types.ReturnValuesOnConditionCheckFailure{types.ReturnValuesOnConditionCheckFailureAllOld, types.ReturnValuesOnConditionCheckFailureNone} {
		_, err := client.PutItem(context.Background(), &sdk.PutItemInput{
			TableName: aws.String(table), Item: item("pk", "p", "sk", "s"),
			ConditionExpression: aws.String("attribute_not_exists(pk)"), ReturnValuesOnConditionCheckFailure: asked,
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatalf("got %v, want ConditionalCheckFailedException", err)
		}
		if asked == types.ReturnValuesOnConditionCheckFailureAllOld {
			wantItem(t, failed.Item, item("pk", "p", "sk", "s", "n", 5))
		} else if failed.Item != nil {
			t.Errorf("got item %v, want none", failed.Item)
		}
	}
}

func TestItemLimits(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	tests := []struct {
		name    string
		item    map[string]types.AttributeValue
		wantErr string
	}{
		{"400 KB exactly", item("pk", "p", "sk", "s", "x", strings.Repeat("x", 400<<10-len("pkpsksx"))), ""},
		{"one byte more", item("pk", "p", "sk", "s", "x", strings.Repeat("x", 400<<10-len("pkpsksx")+1)), "Item size has exceeded the maximum allowed size"},
		{"key missing", item("pk", "p"), "Missing the key sk in the item"},
		{"key of another type", item("pk", "p", "sk", 1), "Type mismatch for key sk expected: S actual: N"},
		{"empty key", item("pk", "p", "sk", ""), "cannot contain an empty string value. Key: sk"},
		{"long key", item("pk", "p", "sk", strings.Repeat("s", 1025)), "exceeded the maximum size limit"},
		{"39 digits", item("pk", "p", "sk", "s", "n", &types.AttributeValueMemberN{Value: strings.Repeat("1", 39)}), "more than 38 significant digits"},
		{"overflow", item("pk", "p", "sk", "s", "n", &types.AttributeValueMemberN{Value: "1e126"}), "Number overflow"},
		{"not a number", item("pk", "p", "sk", "s", "n", &types.AttributeValueMemberN{Value: "1x"}), "cannot be converted to a numeric value: 1x"},
		{"duplicates in a set", item("pk", "p", "sk", "s", "g", []string{"a", "a"}), "contains duplicates"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := client.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String(table), Item: test.item})
			if test.wantErr == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantAPIError(t, err, "ValidationException", test.wantErr)
		})
	}
}

func TestCanonicalNumbers(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	for given, want := range map[string]string{"007": "7", "1.50": "1.5", "1E+2": "100", "-0": "0", "0.00001": "0.00001", "12e-3": "0.012", "+3": "3"} {
		put(t, client, "pk", "p", "sk", given, "n", &types.AttributeValueMemberN{Value: given})
		wantItem(t, get(t, client, "p", given), item("pk", "p", "sk", given, "n", &types.AttributeValueMemberN{Value: want}))
	}
}

func TestUnknownParameterIsRefused(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	_, err := client.Query(context.Background(), &sdk.QueryInput{TableName: aws.String(table), AttributesToGet: []string{"sk"}, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item(":p", "p")})
	wantAPIError(t, err, "ValidationException", `does not know parameter "AttributesToGet"`)
}

func TestMissingTable(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	_, err := client.GetItem(context.Background(), &sdk.GetItemInput{TableName: aws.String("other"), Key: item("pk", "p", "sk", "s")})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("got %v, want ResourceNotFoundException", err)
	}
}

func wantAPIError(t testing.TB, err error, code, part string) {
	t.Helper()
	var failure smithy.APIError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if got := failure.ErrorCode() + ": " + failure.ErrorMessage(); failure.ErrorCode() != code || !strings.Contains(got, part) {
		t.Errorf("got %s, want %s with %q", got, code, part)
	}
}
