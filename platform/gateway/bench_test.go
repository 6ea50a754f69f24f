package gateway_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

// Three operations, each durable before it is answered, by 64 callers at once.
func BenchmarkPurchase(b *testing.B) {
	c := open(b, gateway.Config{Data: b.TempDir()})
	var order atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			name := fmt.Sprint("order-", order.Add(1))
			id := c.open(name, 1000, "EUR", gateway.TokenVisa).intent.ID
			c.authorize(id, name+"/authorize")
			if got := c.capture(id, name+"/capture", 1000); got.status != http.StatusOK {
				b.Errorf("capture answered %d: %s", got.status, got.body)
			}
		}
	})
	b.ReportMetric(float64(3*b.N)/b.Elapsed().Seconds(), "operations/s")
}
