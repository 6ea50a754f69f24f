package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPlanFollowsFromItsSeed(t *testing.T) {
	drawn := make(map[string]bool)
	for seed := range uint64(300) {
		p := NewPlan(seed)
		if diff := cmp.Diff(p, NewPlan(seed)); diff != "" {
			t.Fatalf("seed %d gives two plans:\n%s", seed, diff)
		}
		for _, f := range p.Faults {
			drawn[f.Kind] = true
			if f.At+f.For > p.Length {
				t.Errorf("seed %d: %v is not over when everything heals at %v", seed, f, p.Length)
			}
		}
	}
	for _, k := range kinds() {
		if !drawn[k.name] {
			t.Errorf("no seed has a %s", k.name)
		}
	}
}

func TestFaultsAreLeftOutByTheirPlaces(t *testing.T) {
	p := Plan{Faults: []Fault{{Kind: "a"}, {Kind: "b"}, {Kind: "c"}}}
	if diff := cmp.Diff([]Fault{{Kind: "b"}}, p.Without([]int{0, 2}).Faults); diff != "" {
		t.Error(diff)
	}
}
