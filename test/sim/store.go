package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

var errAway = errors.New("the database is out of reach")

// strikeDatabase has the database of a process fail at some steps, all if none is named. The rate is the fault's own
// unless it is given.
func strikeDatabase(rate float64, steps []sqldb.Step) func(*World, Fault) {
	return func(w *World, f Fault) {
		inc := w.pick(f.Of)
		if inc == nil {
			return
		}
		if rate == 0 {
			// A transaction has some twenty steps.
			f.Rate /= 20 / float64(max(1, 10*len(steps)))
		} else {
			f.Rate = rate
		}
		end := inc.suffer(func(step sqldb.Step, _ bool) error {
			if len(steps) > 0 && !slices.Contains(steps, step) || !w.chance(f.Rate) {
				return nil
			}
			w.hit(f.Kind)
			return errAway
		})
		w.sleep(f.For)
		end()
	}
}

// slowDatabase has statements of a process take their time, so that what others do falls between them.
func slowDatabase(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	end := inc.suffer(func(sqldb.Step, bool) error {
		if w.chance(f.Rate / 4) {
			w.hit(f.Kind)
			time.Sleep(f.By)
		}
		return nil
	})
	w.sleep(f.For)
	end()
}
