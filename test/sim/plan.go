package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Plan is what happens in a run. It follows from the seed alone.
type Plan struct {
	Seed uint64
	// Length is the time until everything heals.
	Length time.Duration
	// Replicas of each service.
	Replicas map[string]int
	Products []Supply
	Errands  []Errand
	Faults   []Fault
	// AuthorizationTTL is how long the gateway keeps an authorization.
	AuthorizationTTL time.Duration
	// ClearUp says that an operator sees to every dead letter in the end.
	ClearUp bool
}

// Fault is something that goes wrong from At on for a while.
type Fault struct {
	At, For time.Duration
	Kind    string
	// Of is the service that it concerns, if it concerns one.
	Of string
	// Rate is how often it strikes, By how hard.
	Rate float64
	By   time.Duration
}

// String is one line of a fault list.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.3fs %s", f.At.Seconds(), f.Kind)
	if f.Of != "" {
		fmt.Fprintf(&b, " of %s", f.Of)
	}
	fmt.Fprintf(&b, " for %v", f.For)
	if f.Rate > 0 {
		fmt.Fprintf(&b, ", %.0f%%", 100*f.Rate)
	}
	if f.By != 0 {
		fmt.Fprintf(&b, ", by %v", f.By)
	}
	return b.String()
}

// NewPlan draws a plan. Each seed switches on some kinds of faults, each at its own rate: with all of them at once,
// nothing would come far enough to go wrong.
func NewPlan(seed uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := Plan{Seed: seed, Length: between(rng, 4*time.Second, 10*time.Second), Replicas: make(map[string]int)}
	for _, s := range services {
		p.Replicas[s] = 1 + rng.IntN(3)/2
	}
	p.ClearUp = rng.IntN(3) > 0
	if p.AuthorizationTTL = 24 * time.Hour; rng.IntN(8) == 0 {
		p.AuthorizationTTL = between(rng, 50*time.Millisecond, second)
	}
	p.Products = drawProducts(rng)
	p.Errands = drawErrands(rng, p.Products, p.Length)
	if rng.IntN(20) == 0 {
		return p // nothing goes wrong
	}
	for _, k := range kinds() {
		if rng.Float64() >= k.often {
			continue
		}
		for range 1 + rng.IntN(k.most) {
			p.Faults = append(p.Faults, k.draw(rng, p.Length))
		}
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return p
}

// Without is the plan less the faults with the given places.
func (p Plan) Without(places []int) Plan {
	var left []Fault
	for i, f := range p.Faults {
		if !slices.Contains(places, i) {
			left = append(left, f)
		}
	}
	p.Faults = left
	return p
}

// skew is by how much the times that one service notes may run back. One process at a time has one clock, unless it is
// set. Of two, one may handle what the other has begun to.
func (p Plan) skew() time.Duration {
	for _, f := range p.Faults {
		switch f.Kind {
		case "clock step", "join", "zombie":
			return time.Minute
		}
	}
	for _, n := range p.Replicas {
		if n > 1 {
			return time.Minute
		}
	}
	return 0
}

// draw returns a fault of the kind that ends before everything heals.
func (k kind) draw(rng *rand.Rand, length time.Duration) Fault {
	f := Fault{Kind: k.name, At: between(rng, 0, length), Rate: 0.05 + 0.6*rng.Float64()}
	f.For = min(between(rng, 50*time.Millisecond, k.longest), length-f.At)
	f.By = between(rng, k.least, k.hardest)
	if !k.rated {
		f.Rate = 0
	}
	if k.ofService {
		f.Of = services[rng.IntN(len(services))]
	}
	return f
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return (least + time.Duration(rng.Int64N(int64(most-least)))).Round(time.Millisecond)
}
