package checker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// restEvery is the time between two looks at what still goes on.
const restEvery = 100 * time.Millisecond

// Sources are where a platform can be looked at. A service or part without an address is left out.
type Sources struct {
	*client.Client
	// Registry defaults to the one among the addresses.
	Registry *sr.Client
	// Kafka makes clients of the brokers. Defaults to those of the broker among the addresses.
	Kafka func(opts ...kgo.Opt) (*kgo.Client, error)
	// Databases are those that may be looked into, by service. Defaults to none.
	Databases map[string]*sqldb.DB
}

func (s Sources) withDefaults() (Sources, error) {
	if s.Kafka == nil {
		s.Kafka = func(opts ...kgo.Opt) (*kgo.Client, error) {
			brokers := strings.Split(s.Addresses.Kafka, ",")
			return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(brokers...)}, opts...)...)
		}
	}
	var err error
	if s.Registry == nil {
		s.Registry, err = serde.NewClient("http://" + s.Addresses.Registry)
	}
	return s, err
}

// Gather looks at everything. What clients know is left for the caller to fill in. An error says that a part could not
// be looked at; what could be is in the State.
func Gather(ctx context.Context, from Sources) (State, error) {
	from, err := from.withDefaults()
	if err != nil {
		return State{}, err
	}
	var s State
	kafka, err := openLog(ctx, from)
	if err != nil {
		return s, err
	}
	defer kafka.close()
	for _, look := range []func(context.Context, Sources, *State) error{
		kafka.partitions, kafka.read, readOrders, readInventory, readPayments, readNotifications, readLetters,
		readOutside, readDatabases,
	} {
		if err := look(ctx, from, &s); err != nil {
			return s, err
		}
	}
	s.Alive = make(map[string]error)
	for name := range from.Admin {
		s.Alive[name] = from.Ready(ctx, name)
	}
	return s, nil
}

// Settle waits until nothing goes on any more, and then looks at everything. At the end of ctx the error says what
// still went on; the State is then that of another second.
func Settle(ctx context.Context, from Sources) (State, error) {
	from, err := from.withDefaults()
	if err != nil {
		return State{}, err
	}
	waitErr := awaitRest(ctx, from)
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		ctx = last
	}
	s, err := Gather(ctx, from)
	if err == nil && waitErr != nil {
		err = fmt.Errorf("it does not come to rest: %w", waitErr)
	}
	return s, err
}

// awaitRest looks at little, often. Two looks in a row must see nothing, for they take their time.
func awaitRest(ctx context.Context, from Sources) error {
	kafka, err := openLog(ctx, from)
	if err != nil {
		return err
	}
	defer kafka.close()
	var last error
	for calm := 0; calm < 2; {
		if err := ctx.Err(); err != nil {
			if last == nil {
				last = err
			}
			return last
		}
		err := glance(ctx, from, kafka)
		if err == nil {
			calm++
			continue
		}
		calm = 0
		if ctx.Err() == nil || last == nil {
			last = err
		}
		timer := time.NewTimer(restEvery)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// glance says what still goes on.
func glance(ctx context.Context, from Sources, kafka *topicLog) error {
	var s State
	for _, look := range []func(context.Context, Sources, *State) error{
		kafka.partitions, listOrders, readNotifications, readLetters, readDatabases,
	} {
		if err := look(ctx, from, &s); err != nil {
			return err
		}
	}
	open := newIndex(s)
	s.Payments = make(map[string]client.Payment)
	for _, o := range s.Orders {
		if open.unended(o) == nil {
			continue
		}
		p, err := from.Payment(ctx, o.ID) // it may be stuck
		if err != nil && client.StatusOf(err) == 0 {
			return err
		}
		if s.Payments[o.ID] = p; !p.Stuck {
			return open.unended(o) // the first says enough
		}
	}
	return Rest(s)
}
