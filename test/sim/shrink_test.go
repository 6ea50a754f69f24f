package sim

import (
	"slices"
	"strings"
	"testing"
)

// TestAFailureIsShrunkToTheFaultsThatItNeeds has a seed fail as long as two of its faults are there, and in another way
// without them.
func TestAFailureIsShrunkToTheFaultsThatItNeeds(t *testing.T) {
	var seed uint64
	var plan Plan
	for seed = 1; len(plan.Faults) < 20; seed++ {
		plan = NewPlan(seed)
	}
	need := []int{3, 17}
	play := func(j Job) (Result, error) {
		r := Result{Seed: j.Seed, Violations: []string{"G2: something else"}}
		if !slices.ContainsFunc(need, func(n int) bool { return slices.Contains(j.Without, n) }) {
			r.Violations = []string{"G4: stock is lost"}
		}
		return r, nil
	}
	report, err := shrink(play, Result{Seed: plan.Seed, Violations: []string{"G4: stock is lost"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range plan.Faults {
		if has := strings.Contains(report, "    "+f.String()+"\n"); has != slices.Contains(need, i) {
			t.Errorf("fault %d (%v) is in the report: %v\n%s", i, f, has, report)
		}
	}
	if !strings.Contains(report, "violates G4") || !strings.Contains(report, "with 2 of its") ||
		!strings.Contains(report, "WITHOUT=0,1,2,4") {
		t.Error(report)
	}
}
