package sim

import (
	"sync/atomic"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// comeback is how long what a fault held back is given to do harm.
const comeback = time.Second

// crash kills a process and starts another.
func crash(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil || !w.forget(inc) {
		return
	}
	w.hit(f.Kind)
	inc.kill()
	w.sleep(f.For)
	w.add(f.Of)
}

// crashInside kills a process at a step of one of its transactions.
func crashInside(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	var steps atomic.Int64
	steps.Store(int64(1 + w.draw(25)))
	struck := make(chan struct{})
	end := inc.suffer(func(step sqldb.Step, writes bool) error {
		if !writes || steps.Add(-1) != 0 {
			return nil
		}
		w.log("%s dies at step %d of a transaction", inc.name, step)
		w.hit(f.Kind)
		inc.dead.Store(true)
		inc.host.Cut()
		close(struck)
		return errDead
	})
	w.await(struck, f.For)
	end()
	w.replace(inc, f.For/2)
}

// crashOutside kills a process when it has written to the network: a request has gone out, the answer never comes.
func crashOutside(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	struck := make(chan struct{})
	n := 1 + w.draw(40)
	inc.host.Watch(func() bool {
		if n--; n != 0 {
			return false
		}
		w.log("%s dies after it has written to the network", inc.name)
		w.hit(f.Kind)
		inc.dead.Store(true)
		close(struck)
		return true
	})
	w.await(struck, f.For)
	w.replace(inc, f.For/2)
}

// replace buries a process, dead or alive, and starts another after a while.
func (w *World) replace(inc *incarnation, after time.Duration) {
	if w.forget(inc) {
		inc.kill()
		w.sleep(after)
		w.add(inc.of)
	}
}

// restart stops a process as an operator does and starts another.
func restart(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil || !w.forget(inc) {
		return
	}
	w.hit(f.Kind)
	inc.stop()
	w.sleep(f.For)
	w.add(f.Of)
}

// join lets one more replica run for a while.
func join(w *World, f Fault) {
	w.hit(f.Kind)
	inc := w.add(f.Of)
	w.sleep(f.For)
	if w.forget(inc) {
		inc.stop()
	}
}

// zombie loses a process that lives on: nobody sees it any more, another is started in its place, but it still has its
// database, and after a while the network again.
func zombie(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil || !w.forget(inc) {
		return
	}
	w.hit(f.Kind)
	w.log("%s becomes a zombie", inc.name)
	inc.host.Stall(true)
	w.add(f.Of)
	w.sleep(f.For)
	inc.host.Stall(false)
	w.sleep(comeback)
	inc.kill()
}

// freeze lets a process stand still, network and database, and go on as if nothing had been.
func freeze(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	w.hit(f.Kind)
	w.log("%s freezes for %v", inc.name, f.For)
	until := time.Now().Add(f.For)
	inc.host.Stall(true)
	end := inc.suffer(func(sqldb.Step, bool) error {
		time.Sleep(time.Until(until))
		return nil
	})
	w.sleep(f.For)
	end()
	inc.host.Stall(false)
}

// stepClock sets the clock of a process wrong, and right again.
func stepClock(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	w.hit(f.Kind)
	w.log("the clock of %s is off by %v", inc.name, f.By)
	inc.skew.Add(int64(f.By))
	w.sleep(f.For)
	inc.skew.Add(-int64(f.By))
}
