package demo

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// gatewayAway: orders are accepted and their stock is held while nobody answers payment. It calls no more after a few
// vain calls, handles all events meanwhile, and goes on when the gateway is back.
func gatewayAway(s *scene) {
	tea := s.stocked(others + 1)
	s.ends(s.place("tok_visa", tea, 1).ID, confirmed)
	pid := s.site.gateway.process.PID()
	s.check(s.site.gateway.kill())
	ids := s.placeAll(slices.Repeat([]client.Purchase{one(tea)}, others)...)
	s.until("payment to give its calls up", func() error {
		state, err := s.Metric(s.ctx, "payment", "quadrille_calls_breaker_state", `outside="gateway"`)
		if err == nil && state == 0 {
			err = errors.New("it still calls")
		}
		return err
	})
	for _, id := range ids {
		s.until("the stock of an order", func() error {
			return exactly(s.spoken(id), []string{"OrderPlaced", "StockReserved"})
		})
	}
	s.caughtUp()
	s.pending(ids)

	s.check(s.site.gateway.start(s.ctx))
	for _, id := range ids {
		s.ends(id, confirmed)
	}
	s.levels(tea, others+1, others+1)
	s.saw("pid %d → %d; %d orders accepted meanwhile, pending, no event left unread; all confirmed", pid,
		s.site.gateway.process.PID(), len(ids))
}

// brokerAway: orders are accepted while there is no broker, for what has happened is in the outbox. It is published in
// order once the broker is back, with the log that it had.
func brokerAway(s *scene) {
	tea := s.stocked(others + 1)
	s.ends(s.place("tok_visa", tea, 1).ID, confirmed)
	pid := s.site.broker.process.PID()
	s.check(s.site.broker.kill())
	ids := s.placeAll(slices.Repeat([]client.Purchase{one(tea)}, others)...)
	told := s.degraded("order")
	s.pending(ids)
	depth, err := s.Metric(s.ctx, "order", "quadrille_outbox_depth")
	s.check(err)
	if int(depth) != len(ids) {
		s.fail("%g events wait to be published, not %d", depth, len(ids))
	}
	for _, id := range ids {
		if got := s.tape.about(id); len(got) != 0 {
			s.fail("%v came from a broker that is away", kinds(got))
		}
	}

	s.check(s.site.broker.start(s.ctx))
	for _, id := range ids {
		s.ends(id, confirmed)
	}
	s.until("all services to be well", func() error {
		for service := range s.Services {
			if faults, err := s.faults(service); err != nil || len(faults) > 0 {
				return fmt.Errorf("%s: %v (%w)", service, faults, err)
			}
		}
		return nil
	})
	s.levels(tea, others+1, others+1)
	s.saw("pid %d → %d; %d orders accepted meanwhile, /readyz names %s; all confirmed", pid,
		s.site.broker.process.PID(), len(ids), told)
}

// pending checks that orders are.
func (s *scene) pending(ids []string) {
	for _, id := range ids {
		o, err := s.Order(s.ctx, id)
		s.check(err)
		if o.Status != "pending" {
			s.fail("order %s is %s %s", id, o.Status, o.Reason)
		}
	}
}

// caughtUp waits until every service has committed all that is on the topics which it reads.
func (s *scene) caughtUp() {
	admin := kadm.NewClient(s.tape.client)
	s.until("every event to be handled", func() error {
		for _, topic := range schemas.Topics() {
			ends, err := admin.ListEndOffsets(s.ctx, topic.Name)
			if err := firstOf(err, ends.Error()); err != nil {
				return err
			}
			for _, group := range topic.Consumers {
				committed, err := admin.FetchOffsets(s.ctx, group)
				if err := firstOf(err, committed.Error()); err != nil {
					return err
				}
				if err := read(group, ends, committed); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// read checks that a group has committed the ends of partitions.
func read(group string, ends kadm.ListedOffsets, committed kadm.OffsetResponses) error {
	for topic, partitions := range ends {
		for id, end := range partitions {
			at, _ := committed.Lookup(topic, id)
			if end.Offset > 0 && at.At < end.Offset {
				return fmt.Errorf("%s is at %d of %d in partition %d of %s", group, at.At, end.Offset, id, topic)
			}
		}
	}
	return nil
}

// degraded waits until a service says that parts of it wait, and returns the names of the parts.
func (s *scene) degraded(service string) string {
	var faults map[string]string
	s.until(service+" to say that it is degraded", func() error {
		var err error
		if faults, err = s.faults(service); err == nil && (faults["status"] != "degraded" || faults["relay"] == "") {
			err = fmt.Errorf("it says %v", faults)
		}
		return err
	})
	delete(faults, "status")
	return strings.Join(slices.Sorted(maps.Keys(faults)), ", ")
}

// faults are what a service that answers requests says is at fault with it, by part.
func (s *scene) faults(service string) (faults map[string]string, err error) {
	_, err = s.Call(s.ctx, http.MethodGet, "http://"+s.Admin[service]+"/readyz", nil, &faults)
	return faults, err
}
