package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

func TestLogLinesCarryTheIDsThatTheirContextKnows(t *testing.T) {
	quiet(t)
	span := map[string]any{"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
	for name, tc := range map[string]struct {
		ctx  context.Context
		want []map[string]any
	}{
		"nothing known":     {t.Context(), nil},
		"a span":            {telemetry.WithTraceparent(t.Context(), traceparent), []map[string]any{span}},
		"a message":         {telemetry.WithMessage(t.Context(), traceparent, "c", "e"), []map[string]any{span, {"correlation_id": "c", "event_id": "e"}}},
		"an untraced event": {telemetry.WithMessage(t.Context(), "", "c", "e"), []map[string]any{{"correlation_id": "c", "event_id": "e"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			tel := start(t, telemetry.Config{Service: "order", LogTo: &log})
			tel.Logger.With("key", "a").InfoContext(tc.ctx, "said", "n", 1)
			want := map[string]any{"level": "INFO", "msg": "said", "service": "order", "key": "a", "n": 1.0}
			for _, ids := range tc.want {
				for name, id := range ids {
					want[name] = id
				}
			}
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("log %q: %v", log.String(), err)
			}
			delete(line, "time")
			if diff := cmp.Diff(want, line); diff != "" {
				t.Error("line (-want +got):\n" + diff)
			}
		})
	}
}
