package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// How the services are configured: timeouts that fit into a minute.
const (
	orderTimeout    = 6 * time.Second
	republishAfter  = 4 * time.Second
	gatewayTimeout  = 400 * time.Millisecond
	gatewaySlow     = 250 * time.Millisecond
	smtpTimeout     = 400 * time.Millisecond
	mailGiveUpAfter = 3 * time.Second
	mailSlow        = 250 * time.Millisecond
	parked          = 1500 * time.Millisecond
	attemptsParked  = 24               // they take at least 10 s, longer than anything goes wrong
	unasked         = 20 * time.Second // longer than any pause
	drain           = time.Second
	stall           = 4 * time.Second
	sessionTimeout  = 1500 * time.Millisecond
)

var services = []string{order.Name, inventory.Name, payment.Name, notification.Name}

var errDead = errors.New("the process is dead")

// incarnation is one process of a service, from its start to its end. What it has of the world, the network and the
// database, can be taken from it.
type incarnation struct {
	name   string // such as order-2
	of     string // the service
	api    string // address
	admin  string
	host   *Host
	run    func() error
	cancel context.CancelFunc
	ended  chan struct{} // closed when Run has returned err
	err    error

	dead     atomic.Bool
	skew     atomic.Int64          // ns
	refusing atomic.Pointer[Fault] // while events are refused
	world    *World

	mu      sync.Mutex
	strikes map[*strike]bool // what happens at the steps of its transactions
}

// strike is called at a step of a transaction; what it returns the step fails with.
type strike func(step sqldb.Step, writes bool) error

// born returns a process of a service that does not run yet.
func (w *World) born(of string, n int) *incarnation {
	port := 10_000 + 2*n
	ctx, cancel := context.WithCancel(w.ctx)
	inc := &incarnation{
		name: fmt.Sprintf("%s-%d", of, n), of: of, world: w, cancel: cancel, ended: make(chan struct{}),
		api: fmt.Sprintf("127.0.0.1:%d", port), admin: fmt.Sprintf("127.0.0.1:%d", port+1),
	}
	inc.host = w.network.Host(inc.name)
	cfg := service.Config{
		HTTPAddr: inc.api, AdminAddr: inc.admin, DatabaseURL: "sqlite:" + w.database(of),
		Brokers: []string{brokerAddr}, RegistryURL: "http://" + registryAddr, Drain: drain, Stall: stall,
		ParkFirstPause: 100 * time.Millisecond, ParkMaxPause: time.Second, ParkAttempts: attemptsParked,
		ParkUnasked:       unasked,
		ParkUnknownSchema: parked, Refuse: inc.refuse, Clock: inc.now, Logger: w.logger.With("process", inc.name),
		Listen: inc.host.Listen, Dial: inc.host.Dial,
		KafkaOptions: []kgo.Opt{kgo.Dialer(inc.host.Dial)},
		DatabaseOptions: []sqldb.Option{
			sqldb.WithoutFileLock(), sqldb.WithConnections(2), sqldb.WithOutage(inc.outage),
		},
	}
	if variant := w.variants[of]; variant != nil {
		inc.run = func() error { return variant(ctx, cfg) }
		return inc
	}
	inc.run = map[string]func() error{
		order.Name: func() error {
			return order.Run(ctx, order.Config{Config: cfg, Timeout: orderTimeout, SnapshotEvery: 4})
		},
		inventory.Name: func() error {
			return inventory.Run(ctx, inventory.Config{Config: cfg, RepublishAfter: republishAfter})
		},
		payment.Name: func() error {
			return payment.Run(ctx, payment.Config{
				Config: cfg, GatewayURL: "http://" + gatewayAddr, GatewayTimeout: gatewayTimeout, CallLimit: 8,
			})
		},
		notification.Name: func() error {
			return notification.Run(ctx, notification.Config{
				Config: cfg, SMTPAddr: smtpAddr, SMTPTimeout: smtpTimeout, MailLimit: 4,
				MailGiveUpAfter: mailGiveUpAfter,
			})
		},
	}[of]
	return inc
}

// start runs the process.
func (i *incarnation) start() {
	i.world.log("%s starts", i.name)
	go func() {
		i.err = i.run()
		i.world.log("%s has ended: %v", i.name, i.err)
		close(i.ended)
		i.world.ended(i)
	}()
}

// now is the clock of the process, which may be wrong.
func (i *incarnation) now() time.Time { return time.Now().Add(time.Duration(i.skew.Load())) }

// outage is asked by the database of the process at each step.
func (i *incarnation) outage(_ context.Context, step sqldb.Step, writes bool) error {
	i.mu.Lock()
	strikes := slices.Collect(maps.Keys(i.strikes))
	i.mu.Unlock()
	for _, s := range strikes {
		if err := (*s)(step, writes); err != nil {
			return err
		}
	}
	if i.dead.Load() {
		return errDead
	}
	return nil
}

// suffer has the database strike until end is called.
func (i *incarnation) suffer(s strike) (end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.strikes == nil {
		i.strikes = make(map[*strike]bool)
	}
	i.strikes[&s] = true
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.strikes, &s)
	}
}

// kill ends the process as SIGKILL does: it first loses database and network, so that whatever it still does has no
// effect, and is then told to stop, so that it goes away.
func (i *incarnation) kill() {
	i.world.log("%s is killed", i.name)
	i.dead.Store(true)
	i.host.Cut()
	i.cancel()
}

// stop ends the process as SIGTERM does, and waits.
func (i *incarnation) stop() {
	i.world.log("%s is stopped", i.name)
	i.cancel()
	<-i.ended
	i.dead.Store(true)
	i.host.Cut()
}
