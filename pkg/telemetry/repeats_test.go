package telemetry_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// due asks each second for a while, and counts by failure how often it was due.
func due(r *telemetry.Repeats, seconds int, failure func(i int) string) map[string]int {
	times := make(map[string]int)
	for i := range seconds {
		if text := failure(i); r.Due(text) {
			times[text]++
		}
		time.Sleep(time.Second)
	}
	return times
}

func TestFailuresAreDueAtOnceThenNowAndThen(t *testing.T) {
	const halfAnHour = 30 * 60
	for name, test := range map[string]struct {
		failure func(i int) string
		// Each of so many failures: at 0, 5, 15, 35 s, then each minute but for the first.
		failures, least, most int
	}{
		"one":                {func(int) string { return "refused" }, 1, 30, 35},
		"two that alternate": {func(i int) string { return []string{"refused", "no answer"}[i%2] }, 2, 28, 35},
		"eight that take turns": {
			func(i int) string { return "refused by " + string(rune('a'+i%8)) }, 8, 28, 35,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := due(new(telemetry.Repeats), halfAnHour, test.failure)
				if len(times) != test.failures {
					t.Errorf("%d failures were due", len(times))
				}
				for text, n := range times {
					if n < test.least || n > test.most {
						t.Errorf("%q was due %d times in half an hour", text, n)
					}
				}
			})
		})
	}
}

func TestAFailureThatHasOnlyOtherDigitsIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(telemetry.Repeats)
		n := 0
		for _, times := range due(r, 5, func(i int) string { return fmt.Sprintf("dial from port %d", 40_000+i) }) {
			n += times
		}
		if n != 1 {
			t.Errorf("it was due %d times in five seconds", n)
		}
		if !r.Due("no such database") {
			t.Error("another failure is not due at once")
		}
	})
}
