package lambda

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// failedItems reads what a function with ReportBatchItemFailures returned for a
// batch of message ids: the ids to keep. An error means that the whole batch
// failed (docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
func failedItems(response []byte, batch map[string]bool) (map[string]bool, error) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, nil
	}
	members, err := members(response)
	if err != nil {
		return nil, fmt.Errorf("reading batch response: %w", err)
	}
	if len(members) == 0 {
		return nil, nil
	}
	list, named := members["batchItemFailures"]
	if !named {
		return nil, errors.New("reading batch response: no batchItemFailures")
	}
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, fmt.Errorf("reading batchItemFailures: %w", err)
	}
	failed := make(map[string]bool, len(items))
	for _, item := range items {
		id, err := itemIdentifier(item)
		if err != nil {
			return nil, err
		}
		if !batch[id] {
			return nil, errors.New("reading batchItemFailures: an itemIdentifier is not of this batch")
		}
		failed[id] = true
	}
	return failed, nil
}

func itemIdentifier(item json.RawMessage) (string, error) {
	members, err := members(item)
	if err != nil {
		return "", fmt.Errorf("reading item of batchItemFailures: %w", err)
	}
	var id *string
	if value, named := members["itemIdentifier"]; named {
		if err := json.Unmarshal(value, &id); err != nil {
			return "", fmt.Errorf("reading itemIdentifier: %w", err)
		}
	}
	if id == nil || *id == "" {
		return "", errors.New("reading batchItemFailures: an itemIdentifier is missing, null or empty")
	}
	return *id, nil
}

// members reads a JSON object, with names compared exactly as Lambda does and
// encoding/json does not. Null has no members.
func members(text []byte) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	return object, nil
}
