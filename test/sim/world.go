package sim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// World is everything: the platform, the processes of the services and their databases, and those who use them, in one
// bubble of virtual time.
type World struct {
	ctx     context.Context
	dir     string
	plan    Plan
	network *Network
	logger  *slog.Logger
	began   time.Time
	parts   *parts
	// brokerFree holds a token unless a fault of the broker is under way. A mutex would stop virtual time for whoever
	// waits for it.
	brokerFree chan struct{}

	// clients is where customers are, outside where the simulation itself is.
	// variants are what runs in the place of a service's Run: broken services, to see that they are found out.
	variants map[string]func(context.Context, service.Config) error

	clients, outside *Host
	operators        *http.Transport
	recorder         *checker.Recorder
	http             *http.Client

	people sync.WaitGroup // customers
	faults sync.WaitGroup
	heal   chan struct{} // closed when nothing goes wrong any more

	mu     sync.Mutex
	rng    *rand.Rand
	out    io.Writer
	closed bool
	procs  map[string][]*incarnation
	all    []*incarnation
	hits   map[string]int
	wrong  []string
}

// newWorld makes a world whose databases are copies of templates.
func newWorld(ctx context.Context, dir, templates string, plan Plan, out io.Writer) (*World, error) {
	w := &World{
		ctx: ctx, dir: dir, plan: plan, began: time.Now(), out: out, heal: make(chan struct{}),
		brokerFree: make(chan struct{}, 1),
		rng:        rand.New(rand.NewPCG(plan.Seed, 1)), logger: slog.New(slog.DiscardHandler),
		procs: make(map[string][]*incarnation), hits: make(map[string]int),
	}
	w.brokerFree <- struct{}{}
	w.logger = slog.New(&ear{world: w})
	w.network = NewNetwork(rand.New(rand.NewPCG(plan.Seed, 2)))
	w.clients, w.outside = w.network.Host("clients"), w.network.Host("outside")
	w.operators = &http.Transport{DialContext: w.outside.Dial}
	w.recorder = &checker.Recorder{Base: &http.Transport{DialContext: w.clients.Dial}}
	w.http = &http.Client{Transport: w.recorder}
	for _, s := range services {
		data, err := os.ReadFile(filepath.Join(templates, s+".db"))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(w.database(s), data, 0o600); err != nil {
			return nil, err
		}
	}
	var err error
	w.parts, err = startParts(ctx, w.network, filepath.Join(dir, "kafka"), w)
	return w, err
}

func (w *World) database(service string) string { return filepath.Join(w.dir, service+".db") }

// openDatabase opens a service's database beside the service.
func (w *World) openDatabase(service string) (*sqldb.DB, error) {
	return sqldb.Open(w.ctx, "sqlite:"+w.database(service), sqldb.WithoutFileLock(), sqldb.WithConnections(1))
}

// log writes a line of the history, if somebody reads it.
func (w *World) log(format string, args ...any) {
	if w.out == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.out, "%9.3fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// fail notes what must not be, whatever the faults.
func (w *World) fail(format string, args ...any) {
	w.log("WRONG: "+format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// hit notes that something happened that must happen sometimes.
func (w *World) hit(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits[name]++
}

// draw returns a number from 0 up to n.
func (w *World) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

func (w *World) chance(rate float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < rate
}

func (w *World) healed() bool {
	select {
	case <-w.heal:
		return true
	default:
		return false
	}
}

// sleep waits for d, or until everything heals.
func (w *World) sleep(d time.Duration) { w.await(nil, d) }

// await waits for done, but no longer than d or until everything heals.
func (w *World) await(done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-w.heal:
	}
}

// add starts one more process of a service.
func (w *World) add(of string) *incarnation {
	w.mu.Lock()
	inc := w.born(of, len(w.all)+1)
	w.all = append(w.all, inc)
	if w.closed {
		close(inc.ended)
		w.mu.Unlock()
		return inc
	}
	w.procs[of] = append(w.procs[of], inc)
	w.mu.Unlock()
	inc.start()
	return inc
}

// forget takes a process out of those that serve, and reports whether it was among them.
func (w *World) forget(inc *incarnation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.procs[inc.of])
	w.procs[inc.of] = slices.DeleteFunc(w.procs[inc.of], func(o *incarnation) bool { return o == inc })
	return len(w.procs[inc.of]) < before
}

// anyOf returns one of the processes that serve, nil if there is none.
func (w *World) anyOf(of string) *incarnation {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.procs[of]); n > 0 {
		return w.procs[of][w.rng.IntN(n)]
	}
	return nil
}

// pick is anyOf for a fault to strike: it returns nil once everything heals.
func (w *World) pick(of string) *incarnation {
	if w.healed() {
		return nil
	}
	return w.anyOf(of)
}

// ended starts another process in the place of one that has ended by itself, as any supervisor does.
func (w *World) ended(inc *incarnation) {
	if w.forget(inc) && w.ctx.Err() == nil {
		w.hit("a process ends by itself")
		inc.kill()
		w.add(inc.of)
	}
}

// close ends everything, so that no goroutine is left.
func (w *World) close() error {
	w.mu.Lock()
	w.closed = true
	clear(w.procs)
	all := slices.Clone(w.all)
	w.mu.Unlock()
	for _, inc := range all {
		inc.kill()
	}
	for _, inc := range all {
		<-inc.ended
	}
	w.clients.Cut()
	w.outside.Cut()
	err := w.parts.close()
	w.network.Wait()
	return err
}
