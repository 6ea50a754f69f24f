package work

import "time"

// desk decides which calls are claimed, on aggregates and leases read under their locks.
type desk[C Leased] struct {
	cfg    Leases[C]
	now    time.Time
	next   map[string]NextCall[C]
	leases map[string]*leaseRow
	// touched are the leases to be written, each once.
	touched map[string]bool
	order   []string
}

func newDesk[C Leased](cfg Leases[C], next []NextCall[C], leases []leaseRow, now time.Time) *desk[C] {
	d := &desk[C]{
		cfg:     cfg,
		now:     now,
		next:    make(map[string]NextCall[C], len(next)),
		leases:  make(map[string]*leaseRow, len(next)),
		touched: make(map[string]bool),
	}
	for _, n := range next {
		d.next[n.Key] = n
		d.leases[n.Key] = &leaseRow{Key: n.Key}
	}
	for _, row := range leases {
		d.leases[row.Key] = &row
	}
	return d
}

// end frees the lease of an ended call. If the same operation is due again, be it that the call failed or that its
// answer settled nothing, it waits; one that was not made need not.
func (d *desk[C]) end(e endRow) {
	lease := d.leases[e.Key]
	if lease == nil || lease.Claims != e.Claims || lease.Claims == 0 {
		return
	}
	lease.LeasedUntil, lease.RetryAt = d.now, d.now
	if e.unmade {
		lease.Attempts--
	} else {
		lease.RetryAt = d.now.Add(d.pause(lease.Attempts))
	}
	d.touch(e.Key)
}

// claim leases the aggregate's next call if it is still due.
func (d *desk[C]) claim(key string) (call C, ok bool) {
	next, due := d.next[key]
	if !due {
		return call, false
	}
	lease := d.leases[key]
	again := lease.Operation == next.Operation
	if lease.LeasedUntil.After(d.now) || again && lease.RetryAt.After(d.now) {
		return call, false
	}
	if !again {
		lease.Operation, lease.Attempts = next.Operation, 0
	}
	lease.Claims++
	lease.Attempts++
	lease.LeasedUntil = d.now.Add(d.cfg.Length)
	lease.RetryAt = lease.LeasedUntil
	d.touch(key)
	return next.Call(lease.Claims), true
}

func (d *desk[C]) touch(key string) {
	if !d.touched[key] {
		d.touched[key] = true
		d.order = append(d.order, key)
	}
}

// changed returns the leases to be written.
func (d *desk[C]) changed() []leaseRow {
	rows := make([]leaseRow, len(d.order))
	for i, key := range d.order {
		rows[i] = *d.leases[key]
	}
	return rows
}

// pause grows with the attempts made, at least one.
func (d *desk[C]) pause(attempts int64) time.Duration {
	pause := d.cfg.FirstPause
	for range min(max(attempts-1, 0), 40) {
		if pause >= d.cfg.MaxPause {
			break
		}
		pause *= 2
	}
	return min(pause, d.cfg.MaxPause)
}
