package work

// Waiting is how many messages wait for their transaction to begin.
func (u *Unit[I, S, E]) Waiting() int {
	u.queue.mu.Lock()
	defer u.queue.mu.Unlock()
	return u.queue.waiting
}

// ErrNotBegun is with what a call ends that was not made.
var ErrNotBegun = errNotBegun
