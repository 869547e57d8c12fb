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
