//go:build !failpoint

package failpoint_test

import (
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
)

func TestWithoutTheTagNothingIsArmed(t *testing.T) {
	t.Setenv("QUADRILLE_TEST_FAILPOINT", "unit/loaded")
	if err := failpoint.Arm(); err != nil {
		t.Error(err)
	}
	failpoint.Hit(failpoint.UnitLoaded) // or this test would be over
}
