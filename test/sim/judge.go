package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// judge waits until everything is at rest and returns what was violated.
func (w *World) judge(within time.Duration) []string {
	state, err := w.settle(within)
	if err != nil {
		w.fail("G6: after %v: %v", within, err)
		w.stacks()
	}
	state.Sent = w.recorder.Sent()
	calm := len(w.plan.Faults) == 0
	state.Lost, state.BusyUndone = !calm, calm
	state.Injected = poisoned(state.Log)
	state.Skew = w.plan.skew()
	w.observe(state)
	w.measure()
	var found []string
	for _, v := range checker.Check(state) {
		w.log("VIOLATION %v", v)
		found = append(found, v.String())
	}
	return found
}

// settle returns what is to be seen once everything is at rest. The error says what is not, or cannot be looked at.
func (w *World) settle(within time.Duration) (checker.State, error) {
	from, err := w.sources()
	if err != nil {
		return checker.State{}, err
	}
	defer func() {
		for _, db := range from.Databases {
			_ = db.Close()
		}
	}()
	waiting, stop := context.WithTimeout(w.ctx, within)
	defer stop()
	clearing, cleared := context.WithCancel(waiting)
	defer cleared()
	var operator sync.WaitGroup
	if w.plan.ClearUp {
		operator.Go(func() { w.clearUp(clearing) })
	}
	unrest := w.rest(waiting, from.Databases)
	cleared()
	operator.Wait()
	if unrest == nil {
		return checker.Settle(waiting, from)
	}
	looking, stop := context.WithTimeout(w.ctx, within)
	defer stop()
	state, err := checker.Gather(looking, from)
	return state, errors.Join(unrest, err)
}

// sources are where the checker looks.
func (w *World) sources() (from checker.Sources, err error) {
	addresses := client.Addresses{
		Kafka: brokerAddr, Registry: registryAddr, Gateway: gatewayAddr, SMTP: smtpAddr, Mail: mailAddr,
		Services: make(map[string]string), Admin: make(map[string]string),
	}
	from.Databases = make(map[string]*sqldb.DB)
	for _, s := range services {
		inc := w.anyOf(s)
		addresses.Services[s], addresses.Admin[s] = inc.api, inc.admin
		from.Databases[s], err = w.openDatabase(s)
		if err != nil {
			return from, err
		}
	}
	transport := &http.Transport{DialContext: w.outside.Dial}
	from.Client = client.NewOver(transport, addresses)
	from.Kafka = func(opts ...kgo.Opt) (*kgo.Client, error) {
		return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(brokerAddr), kgo.Dialer(w.outside.Dial)}, opts...)...)
	}
	from.Registry, err = serde.NewClientOver(transport, "http://"+registryAddr)
	return from, err
}

// stacks writes into the history who owns which partitions, and where every goroutine stands.
func (w *World) stacks() {
	if w.out != nil {
		for _, s := range services {
			if group := w.parts.broker.Cluster().GroupInfo(s); group != nil {
				w.log("group %+v", *group)
			}
		}
		buffer := make([]byte, 8<<20)
		fmt.Fprintf(w.out, "%s\n", buffer[:runtime.Stack(buffer, true)])
	}
}
