package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// Environment of a test binary that is the command itself.
const (
	runAsCommand = "LOCAL_TEST_RUN_AS_COMMAND"
	leaseSeconds = "LOCAL_TEST_LEASE_SECONDS" // shortens the lease of an attempt; the functions are built for all such runs together
)

func TestMain(m *testing.M) {
	if os.Getenv(runAsCommand) != "" {
		os.Exit(runForTest(os.Args[1:]))
	}
	testscript.Main(m, map[string]func(){"local": main})
}

// runForTest is the command with periods that suit a test.
func runForTest(args []string) int {
	lease := os.Getenv(leaseSeconds)
	options, err := parse(args)
	if lease == "" || err != nil {
		return run(args, os.Stdout, os.Stderr)
	}
	options.FunctionEnv = map[string]string{environment.LeaseSeconds: lease}
	options.Builder = functionbuild.New(functionbuild.ForHost())
	return serve(options, os.Stdout, os.Stderr)
}

// TestScripts runs the command as a user does, in a project of the script.
func TestScripts(t *testing.T) {
	t.Parallel()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:      "testdata",
		Deadline: time.Now().Add(8 * time.Minute), // the first builds of a machine take most of it
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("GOCACHE", setting("GOCACHE", filepath.Join(cache, "go-build")))
			env.Setenv("GOTOOLCHAIN", "local")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"occupy": occupy},
	})
}

// occupy listens on a free port until the script ends and puts its address
// into the variable ADDR.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: occupy")
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv("ADDR", listener.Addr().String())
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
