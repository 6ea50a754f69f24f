package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel"
)

// logTrouble has the log tell what the SDK fails at, such as spans that cannot be exported and gauges that cannot be
// measured, until the function that it returns is called. The SDK reports that to one place of the whole process, and
// by itself writes it to standard error as plain text.
func logTrouble(log *slog.Logger) (end func(context.Context) error) {
	var repeats Repeats
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if repeats.Due(err.Error()) {
			log.Warn("telemetry is incomplete", "error", err)
		}
	}))
	return func(context.Context) error {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
			slog.Default().Warn("telemetry is incomplete", "error", err)
		}))
		return nil
	}
}
