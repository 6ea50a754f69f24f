package telemetry_test

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// The trace of a request travels in an event's traceparent header and goes on where the event is handled.
func ExampleWithTraceparent() {
	header := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := telemetry.WithTraceparent(context.Background(), header)
	fmt.Println(telemetry.Traceparent(ctx))
	// Output: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
}
