package event_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// TestDeriveNeverChanges: another id for the same fact would do it twice.
func TestDeriveNeverChanges(t *testing.T) {
	const message = "0190b2c4-7d4e-7c1a-9f00-3a5b6c7d8e9f"
	for _, tc := range []struct {
		source, message string
		n               int
		want            string
	}{
		{"order", message, 0, "2f1ae72d-d540-824c-9656-a1520e97912d"},
		{"order", message, 1, "96f02792-91f1-85ab-9542-2e1d789d5ae0"},
		{"payment", message, 0, "5100dc2c-eabd-89dc-b6c7-5d5773d43c4f"},
		{"", "", 0, "9d908ecf-b6b2-86de-b8b4-9a7c504e6c88"},
	} {
		if got := event.Derive(tc.source, tc.message, tc.n); got != tc.want {
			t.Errorf("Derive(%q, %q, %d) = %s, want %s", tc.source, tc.message, tc.n, got, tc.want)
		}
	}
}

func TestDeriveTellsItsPartsApart(t *testing.T) {
	seen := make(map[string]string)
	for _, source := range []string{"", "a", "ab", "b"} {
		for _, message := range []string{"", "a", "ab", "b", "bc"} {
			for n := range 3 {
				id := event.Derive(source, message, n)
				what := fmt.Sprintf("(%q, %q, %d)", source, message, n)
				if other, taken := seen[id]; taken {
					t.Errorf("G2: two events share the id %s: %s and %s", id, other, what)
				}
				seen[id] = what
			}
		}
	}
}

func TestDeriveIsAUUIDv8(t *testing.T) {
	for n := range 100 {
		id, err := uuid.Parse(event.Derive("order", "m", n))
		if err != nil || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("%s: version %d, variant %s, error %v", id, id.Version(), id.Variant(), err)
		}
	}
}

func TestNewIDIsAUUIDv7(t *testing.T) {
	first, second := event.NewID(), event.NewID()
	if first == second {
		t.Errorf("%s twice", first)
	}
	if id := uuid.MustParse(first); id.Version() != 7 {
		t.Errorf("%s has version %d", id, id.Version())
	}
}

func TestNowIsWhatBothDatabasesKeep(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	got := event.Now(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678_901_999, berlin) })
	if diff := cmp.Diff("2026-01-02T02:04:05.678901Z", got.Format(time.RFC3339Nano)); diff != "" {
		t.Error("now (-want +got):\n" + diff)
	}
}

func Example() {
	// Whoever handles the message names what follows from it by the same id.
	id := event.Derive("inventory", "0190b2c4-7d4e-7c1a-9f00-3a5b6c7d8e9f", 0)
	headers := event.Headers(event.Event{
		ID: id, Type: "quadrille.inventory.StockReserved", Source: "/quadrille/inventory", Key: "order-1", Sequence: 1,
		Time:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Cause: event.Cause{ID: "0190b2c4-7d4e-7c1a-9f00-3a5b6c7d8e9f", Correlation: "0190b2c4-0000-7000-8000-000000000001"},
	})
	isID := regexp.MustCompile(`^[0-9a-f]{8}-.{27}$`)
	for _, h := range headers {
		if !isID.Match(h.Value) {
			fmt.Printf("%s: %s\n", h.Key, h.Value)
		}
	}
	// Output:
	// ce_specversion: 1.0
	// ce_type: quadrille.inventory.StockReserved
	// ce_source: /quadrille/inventory
	// ce_subject: order-1
	// ce_time: 2026-01-02T03:04:05Z
	// ce_sequence: 1
	// content-type: application/avro
}
