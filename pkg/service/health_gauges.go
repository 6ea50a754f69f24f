package service

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/metric"
)

// observe has meter report what /readyz answers at the time: quadrille.ready is 1 if that is 200, quadrille.degraded is
// 1 as well if a part is at fault all the same. Both are there from the start. Each replica reports its own.
func (h *health) observe(meter metric.Meter) error {
	ready, err := meter.Int64ObservableGauge("quadrille.ready",
		metric.WithDescription("1 while /readyz is 200, 0 while it is not."))
	if err != nil {
		return fmt.Errorf("metric quadrille.ready: %w", err)
	}
	degraded, err := meter.Int64ObservableGauge("quadrille.degraded",
		metric.WithDescription("1 while /readyz is 200 although a part is at fault, else 0."))
	if err != nil {
		return fmt.Errorf("metric quadrille.degraded: %w", err)
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		status, faults := h.readiness()
		o.ObserveInt64(ready, oneIf(status == http.StatusOK))
		o.ObserveInt64(degraded, oneIf(status == http.StatusOK && len(faults) > 0))
		return nil
	}, ready, degraded)
	if err != nil {
		return fmt.Errorf("metrics of readiness: %w", err)
	}
	return nil
}

func oneIf(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
