package store

import "time"

// desk decides which calls are claimed, on payments and leases read under their locks.
type desk struct {
	now      time.Time
	payments map[string]paymentRow
	leases   map[string]*leaseRow
	// touched are the leases to be written, each once.
	touched map[string]bool
	order   []string
}

func newDesk(payments []paymentRow, leases []leaseRow, now time.Time) *desk {
	d := &desk{
		now:      now,
		payments: make(map[string]paymentRow, len(payments)),
		leases:   make(map[string]*leaseRow, len(payments)),
		touched:  make(map[string]bool),
	}
	for _, row := range payments {
		d.payments[row.OrderID] = row
		d.leases[row.OrderID] = &leaseRow{OrderID: row.OrderID}
	}
	for _, row := range leases {
		d.leases[row.OrderID] = &row
	}
	return d
}

// end frees the lease of an ended call. If the same operation is due again, be it that the call failed or that its
// answer settled nothing, it waits.
func (d *desk) end(e endRow) {
	lease := d.leases[e.OrderID]
	if lease == nil || lease.Claims != e.Claims || lease.Claims == 0 {
		return
	}
	lease.LeasedUntil = d.now
	lease.RetryAt = d.now.Add(pause(lease.Attempts))
	d.touch(e.OrderID)
}

// claim leases the payment's next call if it is still due.
func (d *desk) claim(orderID string) (Call, bool) {
	row, known := d.payments[orderID]
	if !known {
		return Call{}, false
	}
	next, due := row.payment().Next()
	lease := d.leases[orderID]
	again := lease.Operation == next.Operation
	if !due || lease.LeasedUntil.After(d.now) || again && lease.RetryAt.After(d.now) {
		return Call{}, false
	}
	if !again {
		lease.Operation, lease.Attempts = next.Operation, 0
	}
	lease.Claims++
	lease.Attempts++
	lease.LeasedUntil = d.now.Add(Lease)
	lease.RetryAt = lease.LeasedUntil
	d.touch(orderID)
	return Call{
		Call: next, Claim: lease.Claims, Intent: row.Intent, Origin: Origin{row.CorrelationID, row.Trace},
	}, true
}

func (d *desk) touch(orderID string) {
	if !d.touched[orderID] {
		d.touched[orderID] = true
		d.order = append(d.order, orderID)
	}
}

// changed returns the leases to be written.
func (d *desk) changed() []leaseRow {
	rows := make([]leaseRow, len(d.order))
	for i, id := range d.order {
		rows[i] = *d.leases[id]
	}
	return rows
}

// pause grows with the attempts made, at least one.
func pause(attempts int64) time.Duration {
	return min(firstRetry<<min(max(attempts-1, 0), 20), maxRetry)
}
