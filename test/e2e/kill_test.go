package e2e

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

const (
	// killsVariable replaces the list of kills, such as "payment:call/claimed=3 order:unit/written=1", so that one can be
	// looked at alone or all for longer.
	killsVariable = "QUADRILLE_TEST_KILLS"
	// roundsVariable says how many processes are killed at random, seedVariable which.
	roundsVariable, seedVariable = "QUADRILLE_TEST_KILL_ROUNDS", "QUADRILLE_TEST_KILL_SEED"

	// A process that is to die somewhere comes there within this time.
	deathWithin = 90 * time.Second
	// hits of a point before it kills, at most. The first are those of a service that has just started.
	maxHits = 8
	// orders between two kills at random, at most.
	maxBetween = 10
	// a transaction takes at most so long, by the default of work.Config.
	longest = 20 * time.Second
)

// kill is where a service dies, and at which hit.
type kill struct {
	service string
	point   failpoint.Point
	hits    int
}

func (k kill) String() string { return fmt.Sprintf("%s:%s=%d", k.service, k.point, k.hits) }

// Whichever instruction a process dies at, nothing is lost, nothing happens twice and every saga ends: under load, each
// service dies at each point, one after another, all services side by side.
func TestNothingIsLostWhereverAProcessDies(t *testing.T) {
	onBoth(t, func(t *testing.T, x *troupe, seed uint64) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		sure(t, x.sideBySide(func(name string) error { // on databases that are empty
			for hits := range 2 {
				if err := x.diesAt(ctx, place{name, hits % x.replicas()}, failpoint.Migrated, hits+1); err != nil {
					return err
				}
			}
			return nil
		}))
		sure(t, x.complete(ctx))
		crowd := x.admit(ctx, t, seed)

		kills := planned(t, seed, x.replicas() > 1)
		began := time.Now()
		err := x.sideBySide(func(name string) error {
			for n, k := range kills[name] {
				within, cancel := context.WithTimeout(ctx, deathWithin)
				err := x.diesAt(within, place{name, n % x.replicas()}, k.point, k.hits)
				if err == nil {
					err = x.enter(place{name, n % x.replicas()}, "")
				}
				cancel()
				if err != nil {
					return fmt.Errorf("%s: %w", k, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		t.Logf("%d deaths and %d orders in %s", total(kills), crowd.orders.Load(), time.Since(began).Round(time.Second))
		x.judge(ctx, t, crowd)
	})
}

// Killed at any instant, any of them.
func TestNothingIsLostWhoeverIsKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, x *troupe, seed uint64) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		sure(t, x.complete(ctx))
		crowd := x.admit(ctx, t, seed)
		random, places := rand.New(rand.NewPCG(seed, 1)), x.places()
		began := time.Now()
		for range number(t, roundsVariable, 25) {
			at, want := places[random.IntN(len(places))], crowd.orders.Load()+1+random.Int64N(maxBetween)
			sure(t, client.Until(ctx, "more orders", func() error {
				if got := crowd.orders.Load(); got < want {
					return fmt.Errorf("%d of %d", got, want)
				}
				return nil
			}))
			sure(t, x.leave(at, syscall.SIGKILL))
			if !x.process(at).Killed() {
				t.Errorf("%s was not killed", at)
			}
			sure(t, x.enter(at, ""))
		}
		t.Logf("%d orders in %s", crowd.orders.Load(), time.Since(began).Round(time.Second))
		x.judge(ctx, t, crowd)
	})
}

// onBoth runs fn with one process a service on SQLite, and with two on PostgreSQL; where the environment names a broker,
// on that and PostgreSQL alone.
func onBoth(t *testing.T, fn func(t *testing.T, x *troupe, seed uint64)) {
	seed := uint64(number(t, seedVariable, int(rand.Uint32())))
	for _, world := range []struct {
		name     string
		postgres bool
	}{{"SQLite", false}, {"PostgreSQL, two replicas of each service", true}} {
		if !world.postgres && given() != nil {
			continue
		}
		t.Run(world.name, func(t *testing.T) {
			t.Logf("%s=%d", seedVariable, seed)
			fn(t, assemble(t, world.postgres), seed)
		})
	}
}

// sideBySide does something with each service at the same time.
func (x *troupe) sideBySide(fn func(name string) error) error {
	var g errgroup.Group
	for _, name := range x.names {
		g.Go(func() error { return fn(name) })
	}
	return g.Wait()
}

// admit stocks what the audience buys and lets it in.
func (x *troupe) admit(ctx context.Context, t *testing.T, seed uint64) *audience {
	t.Helper()
	a := newAudience(x, seed, func(err error) { t.Error(err) })
	for sku, quantity := range map[string]int64{plenty: 1_000_000, scarce: 20} {
		sure(t, a.clients().Stock(ctx, sku, client.Money{Amount: 100, Currency: "EUR"}, quantity))
	}
	a.enter(ctx)
	t.Cleanup(a.all.Wait) // whose context has ended by then
	return a
}

// judge starts whoever is missing, lets the audience finish, waits until nothing goes on any more, and looks.
func (x *troupe) judge(ctx context.Context, t *testing.T, a *audience) {
	t.Helper()
	sure(t, x.complete(ctx))
	a.dismiss()
	began := time.Now()
	from := x.sources(t, x.data, x.databases)
	var state checker.State
	for open := true; open; { // bad records that were still on their way
		sure(t, discardPoison(ctx, x.Client, x.names))
		state = settled(t, from, a.recorder)
		open = len(state.OpenKeys()) > 0 && !t.Failed()
	}
	state.Lost, state.Injected = true, a.poison.appended()
	if x.replicas() > 1 {
		state.Skew = longest
	}
	t.Logf("at rest after %s", time.Since(began).Round(time.Second))
	if found := checker.Check(state); len(found) > 0 {
		t.Errorf("%d violations:\n%s", len(found), checker.Report(found, 30))
	}
	ends := make(map[string]int)
	for _, o := range state.Orders {
		ends[o.Status+" "+o.Reason]++
	}
	t.Logf("%d orders: %v; %d records, %d of them bad", len(state.Orders), ends, len(state.Log),
		len(state.Injected))
}

// planned is where each service dies, in a random order.
func planned(t *testing.T, seed uint64, replicas bool) map[string][]kill {
	t.Helper()
	kills := make(map[string][]kill)
	if list := os.Getenv(killsVariable); list != "" {
		for _, field := range strings.Fields(list) {
			service, rest, _ := strings.Cut(field, ":")
			point, hits, _ := strings.Cut(rest, "=")
			n, err := strconv.Atoi(hits)
			if err != nil {
				t.Fatalf("%s: %q is not SERVICE:POINT=HITS", killsVariable, field)
			}
			kills[service] = append(kills[service], kill{service, failpoint.Point(point), n})
		}
		return kills
	}
	random := rand.New(rand.NewPCG(seed, 0))
	met := []failpoint.Point{failpoint.Migrated} // by all that starts
	for _, name := range []string{"order", "inventory", "payment", "notification"} {
		points := pointsOf(name, replicas)
		random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
		for _, point := range points {
			hits := 1 + random.IntN(maxHits)
			if point == failpoint.ConsumerYielding {
				hits = 1
			}
			kills[name] = append(kills[name], kill{name, point, hits})
		}
		met = append(met, points...)
	}
	for _, name := range failpoints(t) {
		if !slices.Contains(met, failpoint.Point(name)) && (replicas || name != string(failpoint.ConsumerYielding)) {
			t.Errorf("no service dies at %s", name)
		}
	}
	return kills
}

// pointsOf are those that a service meets under load.
func pointsOf(service string, replicas bool) []failpoint.Point {
	points := []failpoint.Point{
		failpoint.UnitLoaded, failpoint.UnitDecided, failpoint.UnitSaved, failpoint.InboxInserted,
		failpoint.LetterWritten, failpoint.LetterMoving, failpoint.LetterMoved, failpoint.OutboxInserted,
		failpoint.UnitCommitted, failpoint.RelayHandedOver, failpoint.RelayProduced, failpoint.ConsumerTaken,
	}
	if replicas {
		points = append(points, failpoint.ConsumerYielding)
	}
	switch service {
	case "order", "inventory":
		return append(points, failpoint.CommandCommitted, failpoint.TimerDue)
	default:
		return append(points, failpoint.CallClaimed, failpoint.CallAnswered, failpoint.CallTaken)
	}
}

// failpoints are the names of all there are, as the source has them.
func failpoints(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../pkg/failpoint/point.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, value := range spec.Values {
			name, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		return false
	})
	if len(names) == 0 {
		t.Fatal("there are no failpoints")
	}
	return names
}

// number reads one from the environment.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

func total(kills map[string][]kill) (n int) {
	for _, of := range kills {
		n += len(of)
	}
	return n
}

func sure(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
