package components_test

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		input any
		want  any
		known bool
	}{
		"nothing":            {nil, nil, true},
		"int":                {pulumi.Int(3), 3, true},
		"pointer":            {pulumi.IntPtr(3), 3, true},
		"pointer to string":  {pulumi.StringPtr("a"), "a", true},
		"nil pointer":        {(*int)(nil), nil, true},
		"float":              {pulumi.Float64(0.5), 0.5, true},
		"bool":               {pulumi.Bool(false), false, true},
		"empty input":        {pulumi.String(""), "", true},
		"empty string":       {"", nil, true},
		"list":               {pulumi.ToStringArray([]string{"a", "b"}), []string{"a", "b"}, true},
		"empty list":         {pulumi.StringArray{}, []string{}, true},
		"map":                {pulumi.StringMap{"a": pulumi.String("b")}, map[string]string{"a": "b"}, true},
		"output":             {pulumi.Int(3).ToIntOutput(), nil, false},
		"list with output":   {pulumi.StringArray{pulumi.String("a").ToStringOutput()}, nil, false},
		"map with an output": {pulumi.StringMap{"a": pulumi.String("b").ToStringOutput()}, nil, false},
	} {
		got, known := components.Plain(test.input)
		if known != test.known || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v (known %v), want %v (known %v)", name, got, known, test.want, test.known)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string]string{"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"} {
		if got := components.Console(partition); got != want {
			t.Errorf("console of %s is %s, want %s", partition, got, want)
		}
	}
}
