//go:build real

package trace

import (
	"context"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

// fetching bounds the build of Jaeger on a machine that has none yet.
const fetching = 12 * time.Minute

// TestAnOrderIsOneTraceInJaeger is TestAnOrderIsOneTrace with a real Jaeger: the one that the environment names, else
// one of its own.
func TestAnOrderIsOneTraceInJaeger(t *testing.T) {
	addresses := parts.Given()
	if addresses.OTLP == "" || addresses.Jaeger == "" {
		ctx, cancel := context.WithTimeout(t.Context(), fetching)
		defer cancel()
		own, err := parts.StartJaeger(ctx, parts.Store{Dir: "../../bin/parts"}, t.TempDir(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := own.Stop(); err != nil {
				t.Error(err)
			}
		})
		addresses.OTLP, addresses.Jaeger = own.OTLPHTTP, own.Addr
	}
	pages := "http://" + addresses.Jaeger
	walk(t, up(t, "http://"+addresses.OTLP, pages), pages)
}
