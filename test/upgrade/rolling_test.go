package upgrade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/schemas"
)

const (
	// patience bounds the whole test. It is no expectation: a condition comes when it comes.
	patience = 5 * time.Minute
	sku      = "tea"
	record   = "quadrille.order.OrderPlaced"
)

// services in the order in which they are upgraded: whoever reads a new version may be older than who writes it.
var services = []string{"order", "inventory", "payment", "notification"}

// some of n orders; with -short, fewer.
func some(n int) int {
	if testing.Short() {
		return n / 5
	}
	return n
}

// TestARollingUpgradeLosesNothing replaces each service by its next release and back under load: both releases run side
// by side on the same databases, each handles what the other has published, and a field that only one knows stays.
func TestARollingUpgradeLosesNothing(t *testing.T) {
	databases := make(map[string]string)
	for _, service := range services {
		databases[service] = sqltest.PostgresURL(t)
	}
	before, today, err := build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := newRoll(t, before, today, databases)
	if got := r.registered(); !cmp.Equal(got, []int{1}) {
		t.Fatalf("the release before has registered the versions %v of OrderPlaced", got)
	}

	r.start("before", services...)
	if err := r.old().Stock(r.ctx, sku, client.Money{Amount: 899, Currency: "EUR"}, 1_000_000); err != nil {
		t.Fatal(err)
	}
	load := startLoad(r.ctx, r.cancel, buyer{r.old(), ""})
	end := sync.OnceValues(load.end)
	t.Cleanup(func() {
		if _, err := end(); err != nil {
			t.Error(err)
		}
	})
	r.await("orders at the release before", load.placed("", some(30)))

	// The new contracts come first: nothing of the new release starts without them.
	if said := r.run(today, "check", "--registry", "http://"+r.platform.Registry); !strings.Contains(said, "new version") {
		t.Errorf("check says\n%s", said)
	}
	r.run(today, "apply", "--brokers", r.platform.Kafka, "--registry", "http://"+r.platform.Registry)
	if got := r.registered(); !cmp.Equal(got, []int{1, 2}) {
		t.Errorf("the versions %v of OrderPlaced are registered", got)
	}

	// Order first: as long as a reader has one replica, that of the release before reads every partition.
	r.start("today", "order")
	load.buyAt(buyer{r.old(), ""}, buyer{r.new(), ""}, buyer{r.new(), "web"})
	for _, reader := range services[1:] {
		r.await("the old "+reader+" to read version 2", func() error { return r.reads(reader) })
	}
	r.start("today", services[1:]...)
	r.await("orders at both, with a sales channel too", load.placed("web", some(100)))
	r.oldShows(load.sample("web"))

	// Back again: what is under way belongs to the release before.
	load.buyAt(buyer{r.old(), ""})
	r.stop("today")
	r.await("orders at the release before alone", load.placed("", some(60)))
	r.start("today", services...)
	load.buyAt(buyer{r.old(), ""}, buyer{r.new(), "app"})
	r.await("orders at both once more", load.placed("app", some(50)))

	load.buyAt(buyer{r.new(), ""}, buyer{r.new(), "web"})
	r.stop("before")
	r.await("orders at today's release alone", load.placed("web", some(200)))
	bought, err := end()
	if err != nil {
		t.Fatal(err)
	}

	r.complete(bought)
	r.keepsChannels(bought)
	t.Logf("%d orders over two releases", len(bought))
}

// roll is the platform under upgrade.
type roll struct {
	t         *testing.T
	ctx       context.Context
	cancel    context.CancelFunc
	platform  *launch.Platform
	paths     map[string]string // by release
	databases map[string]string // by service
	replicas  map[string]map[string]*launch.Replica
}

// newRoll starts a world that the release before has made, without services.
func newRoll(t *testing.T, before, today string, databases map[string]string) *roll {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	args := []string{"--ephemeral", "--free-ports"}
	for service, database := range databases {
		args = append(args, "--without", service, "--database", service+"="+database)
	}
	p, err := launch.Up(ctx, launch.Config{Path: before, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	return &roll{
		t: t, ctx: ctx, cancel: cancel, platform: p, databases: databases,
		paths:    map[string]string{"before": before, "today": today},
		replicas: map[string]map[string]*launch.Replica{"before": {}, "today": {}},
	}
}

// start starts a replica of each service named.
func (r *roll) start(release string, named ...string) {
	r.t.Helper()
	for _, service := range named {
		replica, err := r.platform.Of(r.paths[release]).Replica(r.ctx, service, r.databases[service])
		if err != nil {
			r.t.Fatal(err)
		}
		r.replicas[release][service] = replica
		r.t.Cleanup(func() {
			if err := replica.Stop(syscall.SIGTERM); err != nil {
				r.t.Error(err)
			}
		})
	}
}

// stop stops a release's replicas, one service after another.
func (r *roll) stop(release string) {
	r.t.Helper()
	for _, service := range services {
		if err := r.replicas[release][service].Stop(syscall.SIGTERM); err != nil {
			r.t.Error(err)
		}
	}
}

// old and new are clients of the services of a release.
func (r *roll) old() *client.Client { return r.at("before") }
func (r *roll) new() *client.Client { return r.at("today") }

func (r *roll) at(release string) *client.Client {
	c := r.platform.Client
	for service, replica := range r.replicas[release] {
		c = c.At(service, replica.Addr)
	}
	return c
}

func (r *roll) await(what string, try func() error) {
	r.t.Helper()
	if err := client.Until(r.ctx, what, try); err != nil {
		r.t.Fatal(err)
	}
}

// run runs a command of a release and returns what it prints.
func (r *roll) run(path string, args ...string) string {
	r.t.Helper()
	out, err := exec.CommandContext(r.ctx, path, args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %v: %v\n%s", filepath.Base(path), args, err, out)
	}
	return string(out)
}

// registered returns the versions of OrderPlaced.
func (r *roll) registered() (versions []int) {
	r.t.Helper()
	address := "http://" + r.platform.Registry + "/subjects/order.events-" + record + "/versions"
	if _, err := r.platform.Call(r.ctx, http.MethodGet, address, nil, &versions); err != nil {
		r.t.Fatal(err)
	}
	return versions
}

// reads is nil once a service of the release before has counted events with fields that it does not know.
func (r *roll) reads(service string) error {
	admin := r.replicas["before"][service].Admin
	n, err := r.platform.MetricAt(r.ctx, admin, "quadrille_consumer_unknown_fields_total", `event_type="`+record+`"`)
	if err == nil && n == 0 {
		err = errors.New("none yet")
	}
	return err
}

// oldShows checks that the release before shows an order with a sales channel, without it, in full and in its list.
func (r *roll) oldShows(id string) {
	r.t.Helper()
	o, err := r.old().Order(r.ctx, id)
	if err != nil || o.ID != id || o.SalesChannel != "" {
		r.t.Errorf("the release before shows %+v, %v", o, err)
	}
	if _, err := r.old().History(r.ctx, id); err != nil {
		r.t.Error(err)
	}
	if listed := r.listed(r.old()); len(listed) == 0 {
		r.t.Error("the release before lists no order")
	}
}

// complete waits until each saga has ended, and compares the stock.
func (r *roll) complete(bought []purchase) {
	r.t.Helper()
	sold := int64(0)
	for _, p := range bought {
		o, err := r.new().Completed(r.ctx, p.id)
		if err != nil {
			r.t.Fatal(err)
		}
		want := "confirmed"
		if p.declined {
			want = "cancelled"
		}
		if o.Status != want {
			r.t.Errorf("order %s is %s (%s), want %s", p.id, o.Status, o.Reason, want)
		}
		if o.Status == "confirmed" {
			sold++
		}
	}
	levels, err := r.new().Levels(r.ctx, sku)
	if err != nil || levels.Reserved != 0 || levels.Sold != sold {
		r.t.Errorf("%d sold, but the stock is %+v, error %v", sold, levels, err)
	}
}

// keepsChannels checks that each order shows, alone and in the list, and has told, the channel that it was placed with.
func (r *roll) keepsChannels(bought []purchase) {
	r.t.Helper()
	listed := r.listed(r.new())
	for _, p := range bought {
		o, err := r.new().Order(r.ctx, p.id)
		if err != nil {
			r.t.Fatal(err)
		}
		if in, ok := listed[p.id]; o.SalesChannel != p.channel || in != p.channel || !ok {
			r.t.Errorf("order %s was placed with the channel %q, shows %q, and %q in the list (there: %t)", p.id, p.channel,
				o.SalesChannel, in, ok)
		}
	}
}

// listed returns the sales channels of all orders as the list shows them.
func (r *roll) listed(at *client.Client) map[string]string {
	r.t.Helper()
	channels := make(map[string]string)
	cursor := ""
	for {
		var page struct {
			Items []client.Order `json:"items"`
			Next  string         `json:"next_cursor"`
		}
		query := url.Values{"limit": {"100"}, "cursor": {cursor}}
		if cursor == "" {
			query.Del("cursor")
		}
		address := "http://" + at.Services["order"] + "/v1/orders?" + query.Encode()
		if _, err := at.Call(r.ctx, http.MethodGet, address, nil, &page); err != nil {
			r.t.Fatal(err)
		}
		for _, o := range page.Items {
			channels[o.ID] = o.SalesChannel
		}
		if cursor = page.Next; cursor == "" {
			return channels
		}
	}
}

func TestThePatchMakesTheFirstVersion(t *testing.T) {
	folder := t.TempDir()
	if _, err := patched(folder); err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile(filepath.Join(folder, "schemas/avro/order.events/OrderPlaced.avsc"))
	if err != nil {
		t.Fatal(err)
	}
	if string(schema) != schemas.Golden()[record][0].Schema {
		t.Error(fmt.Errorf("%w: it does not make version 1 of OrderPlaced", errPatch))
	}
}
