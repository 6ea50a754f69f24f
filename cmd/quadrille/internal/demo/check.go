package demo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

func kinds(records []record) []string {
	found := make([]string, len(records))
	for i, r := range records {
		found[i] = r.Kind
	}
	return found
}

// once leaves out the copies of events. A copy that differs from the first in its bytes is an error, as is what could
// not be read.
func once(records []record) ([]record, error) {
	var first []record
	for _, r := range records {
		i := slices.IndexFunc(first, func(f record) bool { return f.ID == r.ID })
		switch {
		case r.fault != nil:
			return nil, r.fault
		case i < 0:
			first = append(first, r)
		case first[i].Type != r.Type || !bytes.Equal(first[i].raw.Value, r.raw.Value):
			return nil, fmt.Errorf("two different events have the id %s: %s and %s", r.ID, first[i].Kind, r.Kind)
		}
	}
	return first, nil
}

// exactly checks that there is one event of each wanted kind and no other, whatever copies there are. A kind that
// begins with ? may be missing.
func exactly(records []record, want []string) error {
	events, err := once(records)
	if err != nil {
		return err
	}
	left := kinds(events)
	for _, kind := range want {
		kind, optional := strings.CutPrefix(kind, "?")
		i := slices.Index(left, kind)
		if i < 0 && !optional {
			return fmt.Errorf("on Kafka %s is missing among %v", kind, kinds(events))
		}
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("on Kafka %v are too many, among %v", left, kinds(events))
	}
	return ordered(events)
}

// ordered checks that the sequence rises within each topic.
func ordered(events []record) error {
	last := make(map[string]int64)
	for _, e := range events {
		if e.Sequence <= last[e.Topic] {
			return fmt.Errorf("%s has the sequence %d after %d on %s", e.Kind, e.Sequence, last[e.Topic], e.Topic)
		}
		last[e.Topic] = e.Sequence
	}
	return nil
}

// traced checks that all events belong to one trace.
func traced(records []record, trace string) error {
	for _, r := range records {
		parts := strings.Split(r.Cause.Trace, "-")
		if len(parts) != 4 || parts[1] != trace {
			return fmt.Errorf("%s has the traceparent %q, not one of trace %s", r.Kind, r.Cause.Trace, trace)
		}
	}
	return nil
}

// booked checks that an order's ledger balances and that its sales come to net.
func booked(lines []client.LedgerLine, net int64) error {
	var debit, credit, sales int64
	for _, l := range lines {
		debit, credit = debit+l.Debit, credit+l.Credit
		if l.Account == "sales" {
			sales += l.Credit - l.Debit
		}
	}
	if debit != credit || sales != net {
		return fmt.Errorf("the ledger has debit %d, credit %d, sales %d, not %d", debit, credit, sales, net)
	}
	return nil
}

// asked returns what the gateway was finally asked to do about an order: "capture", or "capture: code" if it refused.
func asked(operations []client.Operation, orderID string) []string {
	var found []string
	for _, o := range operations {
		if o.After.Reference != orderID {
			continue
		}
		text := o.Operation
		if o.Code != "" {
			text += ": " + o.Code
		}
		found = append(found, text)
	}
	return found
}

// conserved checks that what is available, reserved and sold comes to what was put in stock, and that nothing is held.
func conserved(l client.Levels, stocked, sold int64) error {
	if want := (client.Levels{Available: stocked - sold, Sold: sold}); l != want {
		return fmt.Errorf("stock is %+v, not %+v", l, want)
	}
	return nil
}

// firstOf returns the first error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
