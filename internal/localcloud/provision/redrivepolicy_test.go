package provision_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// TestRedrivePolicy: a redrive policy of its own is that of its queue until it
// is deleted.
func TestRedrivePolicy(t *testing.T) {
	t.Parallel()
	const token = "aws:sqs/redrivePolicy:RedrivePolicy"
	services := newServices(t)
	p := provision.New(services)
	url, queue := create(t, p, tokenQueue, "jobs", properties(nil))
	_, dead := create(t, p, tokenQueue, "dead", properties(nil))
	receives := func() string {
		attributes, err := services.Queues.Attributes(queue["arn"].StringValue())
		if err != nil {
			t.Fatal(err)
		}
		_, count, _ := strings.Cut(attributes["RedrivePolicy"], `"maxReceiveCount":`)
		return strings.TrimSuffix(count, "}")
	}
	after := func(count int) map[string]any {
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dead["arn"].StringValue(), count)
		return map[string]any{"queueUrl": url, "redrivePolicy": policy}
	}

	id, _ := create(t, p, token, "redrive", properties(after(3)))
	if got := receives(); got != "3" {
		t.Errorf("messages are moved after %q receives, want 3", got)
	}
	if _, err := p.Update(t.Context(), r(token, "redrive"), id, properties(after(3)), properties(after(7))); err != nil || receives() != "7" {
		t.Errorf("messages are moved after %q receives, %v, want 7", receives(), err)
	}
	if err := p.Delete(t.Context(), r(token, "redrive"), id, properties(after(7))); err != nil || receives() != "" {
		t.Errorf("messages are moved after %q receives, %v, want never", receives(), err)
	}
}
