package inventory_test

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

func TestProductsAreRepublishedUnlessToldNever(t *testing.T) {
	t.Run("built in Go", func(t *testing.T) {
		for given, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Second: time.Second, -1: -1} {
			if got := (inventory.Config{RepublishAfter: given}).WithDefaults().RepublishAfter; got != want {
				t.Errorf("%s becomes %s, want %s", given, got, want)
			}
		}
	})
	for given, want := range map[string]time.Duration{"": 5 * time.Minute, "0": 5 * time.Minute, "-1s": -time.Second} {
		t.Run("from the environment "+given, func(t *testing.T) {
			if given != "" {
				t.Setenv("QUADRILLE_REPUBLISH_AFTER", given)
			}
			var cfg inventory.Config
			if err := service.Load(&cfg); err != nil {
				t.Fatal(err)
			}
			if got := cfg.WithDefaults().RepublishAfter; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
