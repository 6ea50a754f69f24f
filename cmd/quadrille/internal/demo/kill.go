package demo

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// The sagas of a crowd: every third pays by a card that takes its time, so that sagas are under way at any moment.
const crowd = 30

func killOrder(s *scene)        { s.killed("order") }
func killInventory(s *scene)    { s.killed("inventory") }
func killPayment(s *scene)      { s.killed("payment") }
func killNotification(s *scene) { s.killed("notification") }

// killed: the process dies at any instruction, and `up` starts it again. What it had promised is in its database.
func (s *scene) killed(service string) {
	tea := s.stocked(2 * crowd)
	before, err := s.Instance(s.ctx, service)
	s.check(err)

	ids := s.rush(tea)
	s.until("the first events of "+service, func() error { return s.begun(service, ids) })
	s.check(syscall.Kill(before.PID, syscall.SIGKILL))
	under := s.underWay(ids)
	// Orders are taken while it is away, unless it is order that was killed.
	if service != "order" {
		ids = append(ids, s.place("tok_visa", tea, 1).ID)
	}
	after := s.successor(before)

	for _, id := range ids {
		s.ends(id, confirmed)
	}
	s.levels(tea, 2*crowd, int64(len(ids)))
	s.saw("pid %d → %d with %d of %d sagas under way", before.PID, after.PID, under, crowd)
}

// rush places the orders of a crowd at the same time.
func (s *scene) rush(sku string) []string {
	bought := slices.Repeat([]client.Purchase{one(sku)}, crowd)
	for i := 0; i < crowd; i += 3 {
		bought[i].PaymentMethod = "tok_slow"
	}
	return s.placeAll(bought...)
}

// begun is nil once a service has published events about some of the orders. Those that are paid by the slow card are
// not among them, unless it is order or inventory that published.
func (s *scene) begun(service string, ids []string) error {
	n := 0
	for _, id := range ids {
		if slices.ContainsFunc(s.tape.about(id), func(r record) bool { return r.Source == "/quadrille/"+service }) {
			n++
		}
	}
	if n < crowd/3 {
		return fmt.Errorf("about %d of %d orders", n, len(ids))
	}
	return nil
}

// underWay counts the sagas that lack an event of their end or the mail about it. There must be some.
func (s *scene) underWay(ids []string) (n int) {
	for _, id := range ids {
		sent, err := sentOf(s.tape.about(id))
		s.check(err)
		if exactly(s.spoken(id), confirmed.events) != nil || len(sent) < len(confirmed.mails) {
			n++
		}
	}
	if n == 0 {
		s.fail("all %d sagas had ended before the kill", len(ids))
	}
	return n
}

// successor waits until a process is gone and another answers in its place.
func (s *scene) successor(of client.Instance) (now client.Instance) {
	s.until("another process of "+of.Service, func() (err error) {
		if !launch.Ended(of.PID) {
			return fmt.Errorf("process %d still runs", of.PID)
		}
		if now, err = s.Instance(s.ctx, of.Service); err != nil {
			return err
		}
		if now.PID == of.PID {
			return errors.New("it is the same")
		}
		return s.Ready(s.ctx, of.Service)
	})
	if slices.Contains([]int{0, of.PID}, now.PID) {
		s.fail("%s runs as process %d", of.Service, now.PID)
	}
	return now
}
