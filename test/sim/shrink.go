package sim

import (
	"fmt"
	"slices"
	"strings"
)

// attempts is how often a seed that failed is played again with fewer faults before it counts as one that does not
// fail: the same seed is played nearly alike, not exactly.
const attempts = 3

// shrink drops the faults of a failed seed for as long as it still fails in the same way, and describes what is left.
func shrink(play func(Job) (Result, error), r Result) (string, error) {
	plan := NewPlan(r.Seed)
	guarantee := guaranteeOf(r)
	var without []int
	last := r
	size := max(1, len(plan.Faults)/2)
	if strings.HasPrefix(r.Violations[0], hangs) {
		size = 0 // each try might take as long again
	}
	for ; size > 0; size /= 2 {
		for at := 0; at < len(plan.Faults); at += size {
			drop := slices.Clone(without)
			for i := at; i < min(at+size, len(plan.Faults)); i++ {
				if !slices.Contains(drop, i) {
					drop = append(drop, i)
				}
			}
			if len(drop) == len(without) {
				continue
			}
			again, err := failsAgain(play, Job{r.Seed, drop}, guarantee)
			if err != nil {
				return "", err
			}
			if again != nil {
				without, last = drop, *again
			}
		}
	}
	slices.Sort(without)
	var b strings.Builder
	fmt.Fprintf(&b, "\nseed %d violates %s\n", r.Seed, guarantee)
	for _, v := range first(last.Violations, 10) {
		fmt.Fprintf(&b, "    %s\n", v)
	}
	fmt.Fprintf(&b, "  with %d of its %d faults:\n", len(plan.Faults)-len(without), len(plan.Faults))
	for i, f := range plan.Faults {
		if !slices.Contains(without, i) {
			fmt.Fprintf(&b, "    %v\n", f)
		}
	}
	fmt.Fprintf(&b, "  again, with its history: make sim SEED=%d", r.Seed)
	if len(without) > 0 {
		fmt.Fprintf(&b, " WITHOUT=%s", strings.Trim(strings.ReplaceAll(fmt.Sprint(without), " ", ","), "[]"))
	}
	fmt.Fprintln(&b)
	return b.String(), nil
}

// failsAgain plays a job a few times and returns the first result that violates the guarantee, nil if none does.
func failsAgain(play func(Job) (Result, error), j Job, guarantee string) (*Result, error) {
	for range attempts {
		r, err := play(j)
		if err != nil {
			return nil, err
		}
		if len(r.Violations) > 0 && guaranteeOf(r) == guarantee {
			return &r, nil
		}
	}
	return nil, nil
}

// guaranteeOf is that of the first violation.
func guaranteeOf(r Result) string {
	name, _, _ := strings.Cut(r.Violations[0], ":")
	return name
}
