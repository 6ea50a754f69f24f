package sim

// notYet is the error of an event that the simulation has a handler refuse.
type notYet struct{}

// Error implements error.
func (notYet) Error() string { return "refused by the simulation for a while" }

// NotYet makes the event one that is parked and tried again.
func (notYet) NotYet() bool { return true }

// refuseEvents has the handlers of a process refuse events for a while. It ends before the attempts of any event do:
// none dies of it.
func refuseEvents(w *World, f Fault) {
	inc := w.pick(f.Of)
	if inc == nil {
		return
	}
	inc.refusing.Store(&f)
	w.sleep(f.For)
	inc.refusing.Store(nil)
}

// refuse is asked by the process before it handles an event.
func (i *incarnation) refuse(key string) error {
	f := i.refusing.Load()
	if f == nil || !i.world.chance(f.Rate) {
		return nil
	}
	i.world.log("%s refuses an event of %s", i.name, key)
	i.world.hit(f.Kind)
	return notYet{}
}
