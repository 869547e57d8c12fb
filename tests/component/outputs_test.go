package component_test

import (
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestFunctionRoleNames: users attach policies to the functions' roles by name.
func TestFunctionRoleNames(t *testing.T) {
	t.Parallel()
	got := make(chan map[string]string, 1)
	_, err := run(func(ctx *pulumi.Context) error {
		svc, err := components.NewStreamingService(ctx, service, withFake(nil))
		if err != nil {
			return err
		}
		svc.FunctionRoleNames.ApplyT(func(names map[string]string) string {
			got <- names
			return ""
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, name := range components.Functions() {
		want[name] = "svc-" + name + "-role-name"
	}
	if names := <-got; !maps.Equal(names, want) {
		t.Errorf("roles are %v, want %v", names, want)
	}
}

// TestSignIn: a page learns the rules of the pool that the component makes, and
// nothing of one that it adopts.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		auth *components.AuthSettings
		want map[string]string
	}{
		{nil, map[string]string{"mfa": "OFF", "passwordMinimumLength": "12", "selfSignUp": "false"}},
		{
			&components.AuthSettings{Mfa: pulumi.String("ON"), PasswordMinimumLength: pulumi.Int(20), SelfSignUp: pulumi.Bool(true)},
			map[string]string{"mfa": "ON", "passwordMinimumLength": "20", "selfSignUp": "true"},
		},
		{&components.AuthSettings{UserPoolId: pulumi.String("eu-west-1_Abc"), UserPoolClientId: pulumi.String("c1")}, map[string]string{}},
	} {
		got := make(chan map[string]string, 1)
		_, err := run(func(ctx *pulumi.Context) error {
			svc, err := components.NewStreamingService(ctx, service, withFake(&args{Auth: test.auth}))
			if err != nil {
				return err
			}
			svc.SignIn.ApplyT(func(signIn map[string]string) string {
				got <- signIn
				return ""
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if signIn := <-got; !maps.Equal(signIn, test.want) {
			t.Errorf("signIn is %v, want %v", signIn, test.want)
		}
	}
}

// TestSweepRunsOnce: the next sweep does what one that failed did not.
func TestSweepRunsOnce(t *testing.T) {
	t.Parallel()
	for minutes, age := range map[int]float64{1: 60, 5: 300, 1440: 21_600} {
		once := declare(t, &args{Queue: &components.QueueSettings{SweepIntervalMinutes: &minutes}}).find(t, "sweep-once")
		if once.Inputs["functionName"] != "svc-recovery-name" || once.Inputs["maximumRetryAttempts"] != 0.0 || once.Inputs["maximumEventAgeInSeconds"] != age {
			t.Errorf("every %d minutes: %v, want an age of %v", minutes, once.Inputs, age)
		}
	}
}

// TestFunctionsLogWhatTheyAreTold: Lambda drops no line that a function writes,
// neither debug lines nor metrics.
func TestFunctionsLogWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	for _, d := range declare(t, nil).ofType("aws:lambda/function:Function") {
		if d.property("loggingConfig", "logFormat") != "JSON" || d.property("loggingConfig", "applicationLogLevel") != "DEBUG" {
			t.Errorf("%s logs %v", d.Name, d.property("loggingConfig"))
		}
	}
}
