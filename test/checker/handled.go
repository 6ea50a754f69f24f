package checker

import (
	"slices"
	"time"
)

// arrival is a record with what became of it in a service's inbox.
type arrival struct {
	Record
	InboxRow
	// written is its row's place among those of the inbox, if they are in order.
	written int
}

// handledInOrder checks in the inboxes that each service handled the events of a topic and key in the order of their
// first appearance, whatever it made of them.
func (c *check) handledInOrder() {
	for service, database := range c.Databases {
		written := make(map[inboxKey]int, len(database.Inbox))
		for n, row := range database.Inbox {
			written[inboxKey{row.Scope, row.ID}] = n
		}
		arrivals := make(map[stream][]arrival)
		seen := make(map[inboxKey]bool)
		for _, r := range c.Log {
			key := inboxKey{r.Topic, r.inboxID()}
			if c.isPoison(r) {
				letter := letterOf(database, r)
				if letter == nil {
					continue // G8 asks for it
				}
				key.id = letter.ID
			}
			row, there := c.rows[service][key]
			if !there || seen[key] || row.Resource != string(r.Key) || !slices.Contains(c.consumers[r.Topic], service) {
				continue
			}
			seen[key] = true
			of := stream{r.Topic, row.Resource}
			arrivals[of] = append(arrivals[of], arrival{r, row, written[key]})
		}
		for _, came := range arrivals {
			c.inTurn(service, came, database.InOrder)
		}
	}
}

// inTurn checks the arrivals of one topic and key. Nothing passes what is still open. What is done was done no earlier
// than what came before it, by the time at which its transaction began; and where rows are in order, what never waited
// was written no earlier either. Rows of equal time may be of one transaction, which writes them in an order of its
// own.
func (c *check) inTurn(service string, came []arrival, inOrder bool) {
	var open, latest, last *arrival
	for n := range came {
		a := &came[n]
		if a.State == stateParked || a.State == stateDead {
			open = a
		}
		if a.State != stateDone {
			continue
		}
		if open != nil {
			c.violated("G3", a.Resource, "%s handled %s at %s, and %s before it is %s", service, a.name(), a.at(),
				open.at(), open.State)
		}
		if latest != nil && a.Handled.Add(c.Skew).Before(latest.Handled) {
			c.violated("G3", a.Resource, "%s handled %s at %s at %s, and %s before it at %s", service, a.name(), a.at(),
				a.Handled.Format(time.RFC3339Nano), latest.at(), latest.Handled.Format(time.RFC3339Nano))
		}
		if latest == nil || a.Handled.After(latest.Handled) {
			latest = a
		}
		if !inOrder || a.Attempts > 0 {
			continue
		}
		if last != nil && a.written < last.written && !a.Handled.Equal(last.Handled) {
			c.violated("G3", a.Resource, "%s wrote that it handled %s at %s before it wrote so of %s", service,
				a.name(), a.at(), last.at())
		}
		if last == nil || a.written > last.written {
			last = a
		}
	}
}
