package provision_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// TestQueuePolicy: the policy of a queue decides who may use it, from its
// creation to its deletion.
func TestQueuePolicy(t *testing.T) {
	t.Parallel()
	const token = "aws:sqs/queuePolicy:QueuePolicy"
	services := newServices(t)
	p := provision.New(services)
	url, queue := create(t, p, tokenQueue, "jobs", properties(nil))
	arn := queue["arn"].StringValue()
	inputs := func(condition string) map[string]any {
		return map[string]any{
			"queueUrl": url,
			"policy":   `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sqs:*","Resource":"` + arn + `"` + condition + `}]}`,
		}
	}
	refused := func() bool {
		return services.IAM.Allowed("operator", awsapi.Permission{Action: "sqs:SendMessage", Resource: arn}) != nil
	}

	overHTTP := properties(inputs(`,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`))
	id, _ := create(t, p, token, "policy", overHTTP)
	if refused() {
		t.Error("a caller over TLS was refused")
	}
	attributes, err := services.Queues.Attributes(arn)
	if err != nil || attributes["Policy"] != overHTTP["policy"].StringValue() {
		t.Errorf("the queue has policy %q, %v", attributes["Policy"], err)
	}
	everything := properties(inputs(""))
	if _, err := p.Update(t.Context(), r(token, "policy"), id, overHTTP, everything); err != nil || !refused() {
		t.Errorf("nobody is refused after the update: %v", err)
	}
	if err := p.Delete(t.Context(), r(token, "policy"), id, everything); err != nil || refused() {
		t.Errorf("refused after the deletion: %v", err)
	}
}
