package engine_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"golang.org/x/sync/errgroup"
)

// TestFailedCreationsAreRepaired fails creations of every kind, update after
// update, until one succeeds.
func TestFailedCreationsAreRepaired(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	c := startCloud(t)
	s := c.newStack(t, "repair")
	complete := len(s.preview("preview").creates)
	created := 0
	for _, failing := range [][]string{
		{"streaming-quota-table", "streaming-user-pool"},
		{"streaming-queue", "streaming-processor-role"},
		{"streaming-processor"},
		{"streaming-rest-deployment", "streaming-websocket-stage", "streaming-processor-mapping"},
		nil,
	} {
		c.fail(failing...)
		did, out, err := s.tryUp(fmt.Sprintf("%d creations fail", len(failing)))
		if (err == nil) != (failing == nil) || len(failing) > 0 && !strings.Contains(out, errInjected.Error()) {
			t.Fatalf("failing %v: %v\n%s", failing, err, out)
		}
		for _, name := range did.failed {
			if !slices.Contains(failing, name) {
				t.Errorf("%s failed beside %v", name, failing)
			}
		}
		if len(did.updates)+len(did.replaces)+len(did.deletes) > 0 {
			t.Errorf("failing %v: %s", failing, did.described())
		}
		created += len(did.creates)
	}
	if created != complete {
		t.Errorf("%d resources were created, want each of the %d once", created, complete)
	}
	s.expectNothing("up again")
	s.stream("ada@example.com")

	s.configure(settings{"quota.monthlyRequests": 20})
	c.fail("streaming-quota")
	if _, _, err := s.tryUp("an update fails"); err == nil {
		t.Error("the failing update succeeded")
	}
	c.fail()
	s.expectUpdates("the update again", "streaming-quota")
	c.fail("streaming-requests-table")
	if _, _, err := s.tryDestroy("a deletion fails"); err == nil {
		t.Error("the failing deletion succeeded")
	}
	c.fail()
	s.destroy("destroy again")
	if left := c.Declared(); len(left) != 0 {
		t.Errorf("the destroyed stack left %v", left)
	}
}

// TestRefusedDestroyDeletesNothing checks deletion protection and the two
// steps around it.
func TestRefusedDestroyDeletesNothing(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	s := c.newStack(t, "protected", settings{"protection.deletionProtection": true})
	s.up("up")
	before := c.changes()
	did, out, err := s.tryDestroy("destroy")
	if err == nil || !strings.Contains(out, "protect") {
		t.Errorf("the destroy of a protected stack: %v\n%s", err, out)
	}
	if after := c.changes(); after != before || len(did.deletes) > 0 {
		t.Errorf("the refused destroy made %d changes", after-before)
	}
	s.stream("ada@example.com")
	s.configure(settings{"protection.deletionProtection": false})
	s.expectUpdates("protection off", "streaming-connections-table", "streaming-quota-table", "streaming-requests-table", "streaming-user-pool")
	s.destroy("destroy")
	if left := c.Declared(); len(left) != 0 {
		t.Errorf("the destroyed stack left %v", left)
	}
}

// TestTwoStacksSideBySide makes two stacks at once on one cloud and a third
// that adopts the users of the first.
func TestTwoStacksSideBySide(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	c := startCloud(t)
	blue, green := c.newStack(t, "blue"), c.newStack(t, "green")
	var both errgroup.Group
	for _, s := range []*testStack{blue, green} {
		both.Go(func() error {
			_, out, err := s.tryUp("up")
			if err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		})
	}
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	blue.stream("ada@example.com")
	green.stream("ada@example.com") // another pool, so another user

	pool := blue.harness().Config
	guest := c.newStack(t, "guest", settings{
		"auth": map[string]any{"userPoolId": pool.UserPoolID, "userPoolClientId": pool.UserPoolClientID},
	})
	if did := guest.up("up"); slices.Contains(did.creates, "streaming-user-pool") || slices.Contains(did.creates, "streaming-user-pool-client") {
		t.Error("a stack that adopts a pool made one")
	}
	guest.stream("bob@example.com")

	guest.destroy("destroy")
	blue.stream("carol@example.com")
	blue.destroy("destroy")
	green.stream("carol@example.com")
	green.destroy("destroy")
	if left := c.Declared(); len(left) != 0 {
		t.Errorf("the destroyed stacks left %v", left)
	}
}

// TestSecretsAreNotInPlainState keeps the system prompt secret.
func TestSecretsAreNotInPlainState(t *testing.T) {
	t.Parallel()
	const secret = "the-operators-secret-prompt"
	s := startCloud(t).newStack(t, "secret")
	err := s.SetConfigWithOptions(t.Context(), "model.system", auto.ConfigValue{Value: secret, Secret: true}, &auto.ConfigOptions{Path: true})
	if err != nil {
		t.Fatal(err)
	}
	_, out, err := s.tryUp("up")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(out, secret) {
		t.Error("the output of the update shows the secret")
	}
	s.checkHidden(secret)
	s.refresh("refresh")
	s.expectNothing("up again")
	s.checkHidden(secret)
	s.stream("ada@example.com")
}

// checkHidden searches all that the engine keeps: state, its history, and
// configuration.
func (s *testStack) checkHidden(secret string) {
	s.t.Helper()
	searched := 0
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		searched++
		if strings.Contains(string(readFile(s.t, path)), secret) {
			s.t.Errorf("%s shows the secret", path)
		}
		return nil
	})
	if err != nil || searched < 3 {
		s.t.Errorf("%d files were searched: %v", searched, err)
	}
}
