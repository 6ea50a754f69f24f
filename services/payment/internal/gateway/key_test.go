package gateway_test

import (
	"net/http"
	"sync"
	"testing"

	platform "github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// TestEveryAttemptHasTheSameKey makes each call of a purchase twice, as after a lost answer, and compares the keys that
// reach the gateway.
func TestEveryAttemptHasTheSameKey(t *testing.T) {
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	var mu sync.Mutex
	keys := make(map[string]map[string]bool) // by path
	client := dial(t, gateway.Config{URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if keys[r.URL.Path] == nil {
			keys[r.URL.Path] = make(map[string]bool)
		}
		keys[r.URL.Path][r.Header.Get("Idempotency-Key")] = true
		mu.Unlock()
		real.ServeHTTP(w, r)
	}))})
	intent := ""
	for _, operation := range []payment.Operation{payment.Authorize, payment.Capture, payment.Refund} {
		for range 2 {
			got, err := client.Perform(t.Context(), call(operation, platform.TokenVisa), intent)
			if err != nil {
				t.Fatal(err)
			}
			intent = got.Intent.ID
		}
		path := "/v1/payment_intents/" + intent + "/" + string(operation)
		mu.Lock()
		if used := keys[path]; len(used) != 1 || used[""] {
			t.Errorf("G5: two attempts to %s used the keys %v, want one", operation, used)
		}
		mu.Unlock()
	}
}
