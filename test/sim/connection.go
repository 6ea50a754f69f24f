package sim

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// between two strokes of a fault that strikes again and again.
const stroke = 150 * time.Millisecond

// again calls fn every now and then until the fault is over.
func (w *World) again(f Fault, fn func() (struck bool)) {
	for end := time.Now().Add(f.For); time.Now().Before(end) && !w.healed(); w.sleep(stroke) {
		if w.chance(f.Rate) && fn() {
			w.hit(f.Kind)
		}
	}
}

// cutWires cuts the connections of a service.
func cutWires(w *World, f Fault) {
	w.again(f, func() bool {
		inc := w.pick(f.Of)
		return inc != nil && inc.host.CutWires(nil) > 0
	})
}

// cutClients cuts the connections of the customers: their requests, or the answers, are lost.
func cutClients(w *World, f Fault) {
	w.again(f, func() bool { return w.clients.CutWires(nil) > 0 })
}

// cutMail cuts the connections to the mail server.
func cutMail(w *World, f Fault) {
	for end := time.Now().Add(f.For); time.Now().Before(end) && !w.healed(); w.sleep(10 * time.Millisecond) {
		if w.chance(f.Rate) && w.parts.mailHost.CutWires(nil) > 0 {
			w.hit(f.Kind)
		}
	}
}

// slowWires makes all that a service says and hears late.
func slowWires(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	w.hit(f.Kind)
	inc.host.Slow(f.By)
	w.sleep(f.For)
	inc.host.Slow(0)
}

// hangMail lets the mail server stand still.
func hangMail(w *World, f Fault) {
	w.hit(f.Kind)
	w.parts.mailHost.Stall(true)
	w.sleep(f.For)
	w.parts.mailHost.Stall(false)
}

// holdBroker lets nobody else fault the broker until release is called.
func (w *World) holdBroker() (release func()) {
	token := <-w.brokerFree
	return func() { w.brokerFree <- token }
}

// stallBroker lets the broker stand still.
func stallBroker(w *World, f Fault) {
	defer w.holdBroker()()
	w.hit(f.Kind)
	host := w.parts.brokerHost
	host.Stall(true)
	w.sleep(f.For)
	host.Stall(false)
}

// restartBroker stops the broker for a while.
func restartBroker(w *World, f Fault) {
	defer w.holdBroker()()
	w.hit(f.Kind)
	w.log("the broker stops")
	if err := w.parts.stopBroker(); err != nil {
		w.fail("stop the broker: %v", err)
	}
	w.sleep(f.For)
	if err := w.parts.startBroker(w); err != nil {
		w.fail("start the broker: %v", err)
	}
	w.log("the broker is back")
}

// brokerErrors has the broker refuse requests, some of them although it did what was asked.
func brokerErrors(w *World, f Fault) {
	kinds := []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.PolicyViolation},
		{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.NotCoordinator},
	}
	w.again(f, func() bool {
		defer w.holdBroker()()
		handle := w.parts.broker.Cluster().Fault(kinds[w.draw(len(kinds))])
		w.sleep(stroke / 2)
		handle.Remove()
		return handle.Hits() > 0
	})
}

// loseSession has the broker tell a member of a consumer group that it is none.
func loseSession(w *World, f Fault) {
	errs := []*kerr.Error{kerr.UnknownMemberID, kerr.FencedMemberEpoch}
	defer w.holdBroker()()
	handle := w.parts.broker.Cluster().Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.ConsumerGroupHeartbeat}, Group: f.Of, TopLevel: true, Err: errs[w.draw(len(errs))],
		Count: 1 + w.draw(2),
	})
	w.sleep(f.For)
	handle.Remove()
	if handle.Hits() > 0 {
		w.hit(f.Kind)
	}
}
