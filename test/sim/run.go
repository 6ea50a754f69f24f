package sim

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

// restWithin is how long everything may take to come to rest once nothing goes wrong any more: far more than the
// longest pause of whatever is tried again, and than it takes to forget a letter that nobody asks for any more.
const restWithin = 150 * time.Second

// brokenRest is the same for services that are broken on purpose.
const brokenRest = 25 * time.Second

// Result of a run.
type Result struct {
	Seed uint64 `json:"seed"`
	// Violations begin with the guarantee that was violated.
	Violations []string `json:"violations"`
	// Hits counts what happens sometimes.
	Hits map[string]int `json:"hits"`
	// Simulated is the virtual time that went by, Faults the number of faults.
	Simulated time.Duration `json:"simulated"`
	Faults    int           `json:"faults"`
}

// Run plays a plan in the bubble of virtual time that it is called in. The history goes to out, if it is not nil.
func Run(ctx context.Context, dir, templates string, plan Plan, out io.Writer) (r Result, err error) {
	return run(ctx, dir, templates, plan, out, nil)
}

func run(ctx context.Context, dir, templates string, plan Plan, out io.Writer,
	variants map[string]func(context.Context, service.Config) error) (r Result, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err = os.MkdirTemp(dir, "world")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, dir, templates, plan, out)
	if err != nil {
		return r, err
	}
	w.variants = variants
	w.play()
	within := restWithin
	if variants != nil {
		within = brokenRest
	}
	found := w.judge(within)
	if err := w.close(); err != nil {
		w.fail("the platform does not end well: %v", err)
	}
	r = Result{
		Seed: plan.Seed, Hits: w.hits, Simulated: time.Since(w.began), Faults: len(plan.Faults),
		Violations: append(found, w.wrong...),
	}
	return r, nil
}

// play lets customers and faults loose, and returns when the last customer has gone and nothing goes wrong any more.
func (w *World) play() {
	for _, s := range services {
		for range w.plan.Replicas[s] {
			w.add(s)
		}
	}
	w.open()
	strikes := make(map[string]func(*World, Fault))
	for _, k := range kinds() {
		strikes[k.name] = k.strike
	}
	for _, f := range w.plan.Faults {
		w.faults.Go(func() {
			w.sleep(f.At)
			if !w.healed() {
				w.log("FAULT %v", f)
				strikes[f.Kind](w, f)
			}
		})
	}
	for n, e := range w.plan.Errands {
		w.people.Go(func() {
			time.Sleep(e.At)
			e.run(w, n)
		})
	}
	time.Sleep(w.plan.Length)
	w.log("everything heals")
	close(w.heal)
	w.faults.Wait()
	for _, s := range services {
		for w.anyOf(s) == nil {
			w.add(s)
		}
	}
	w.people.Wait()
}

// open puts the products on sale, before anything goes wrong.
func (w *World) open() {
	for _, p := range w.plan.Products {
		e := Errand{Patience: time.Second, Tries: 100}
		priced := e.ask(w, inventory.Name, http.MethodPut, "/v1/products/"+p.SKU, "",
			map[string]any{"name": p.SKU, "price": client.Money{Amount: p.Price, Currency: "EUR"}})
		stocked := e.ask(w, inventory.Name, http.MethodPost, "/v1/products/"+p.SKU+"/restocks", "first",
			map[string]int64{"quantity": p.Quantity})
		if priced == nil || stocked == nil {
			w.fail("the product %s could not be put on sale", p.SKU)
		}
	}
	time.Sleep(time.Second)
}
