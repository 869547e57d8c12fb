// Package gatewaytest is what the fake functions behind the gateways share.
package gatewaytest

import "context"

// Invoke runs a function as a gateway.Invoker does: a function that takes longer
// than ctx runs on, and the error is that of ctx.
func Invoke(ctx context.Context, function func() (result, functionError string, err error)) ([]byte, string, error) {
	type outcome struct {
		result, functionError string
		err                   error
	}
	done := make(chan outcome, 1)
	go func() {
		result, functionError, err := function()
		done <- outcome{result, functionError, err}
	}()
	select {
	case o := <-done:
		return []byte(o.result), o.functionError, o.err
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}
