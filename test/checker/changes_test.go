package checker

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// What is changed in a sound story.

func (s *story) database(service string, change func(*Database)) {
	d := s.Databases[service]
	change(&d)
	s.Databases[service] = d
}

func (s *story) forget(id string) {
	s.Orders = slices.DeleteFunc(s.Orders, func(o client.Order) bool { return o.ID == id })
}

func (s *story) at(kind, key string) int {
	return slices.IndexFunc(s.Log, func(r Record) bool { return r.kind() == kind && string(r.Key) == key })
}

func (s *story) fact(kind, key string) Record { return s.Log[s.at(kind, key)] }

func (s *story) change(kind, key string, change func(*Record)) { change(&s.Log[s.at(kind, key)]) }

// lose takes an event out of the log.
func (s *story) lose(kind, key string) {
	at := s.at(kind, key)
	s.Log = slices.Delete(s.Log, at, at+1)
	s.partitions()
}

func (s *story) swap(a, b Record) {
	i, j := s.at(a.kind(), string(a.Key)), s.at(b.kind(), string(b.Key))
	s.Log[i], s.Log[j] = s.Log[j], s.Log[i]
}

func (s *story) partition(topic string) *Partition {
	return &s.Partitions[slices.IndexFunc(s.Partitions, func(p Partition) bool { return p.Topic == topic })]
}

// unend leaves an order's saga without its last answer.
func (s *story) unend(id string) {
	i := slices.IndexFunc(s.Orders, func(o client.Order) bool { return o.ID == id })
	history := s.Histories[id]
	s.Histories[id] = history[:len(history)-1]
	s.Orders[i].Completed, s.Orders[i].Version = false, s.Orders[i].Version-1
	s.Orders[i].Steps[1].Status = "authorized"
	s.Shown[id] = s.Orders[i]
}

// row is that of a service's inbox about an event.
func (s *story) row(service, kind, key string) *InboxRow {
	rows, id := s.Databases[service].Inbox, s.fact(kind, key).Event.ID
	return &rows[slices.IndexFunc(rows, func(row InboxRow) bool { return row.ID == id })]
}

// discard has an operator give up the letters of a record.
func (s *story) discard(r Record, operator string) {
	for service := range s.Databases {
		s.database(service, func(d *Database) {
			for n := range d.Inbox {
				if row := &d.Inbox[n]; row.ID == r.inboxID() {
					row.State = stateDiscarded
					d.Rulings = append(d.Rulings, Ruling{row.Scope, row.ID, client.Discard, operator})
				}
			}
		})
		s.Letters[service] = nil
	}
}

// uncopy takes the copies of a service's dead letters out of the log.
func (s *story) uncopy(service string) {
	s.Log = slices.DeleteFunc(s.Log, func(r Record) bool { return r.Topic == schemas.DeadLetterTopic(service) })
	s.partitions()
}

// refuse makes the gateway's refund one that it refused for good.
func (s *story) refuse(id string) {
	n := slices.IndexFunc(s.Operations, func(o client.Operation) bool { return o.Operation == "refund" })
	s.Operations[n].Code, s.Operations[n].After = "refund_declined", intent(id, total, total, 0)
}

// unrefuse has the gateway never asked for a refund.
func (s *story) unrefuse() {
	s.Operations = slices.DeleteFunc(s.Operations, func(o client.Operation) bool { return o.Operation == "refund" })
}

// stick takes an order's refund back, as if the gateway had refused it for good.
func (s *story) stick(id string) {
	s.lose("PaymentRefunded", id)
	s.unend(id)
	i := slices.IndexFunc(s.Orders, func(o client.Order) bool { return o.ID == id })
	s.Orders[i].Steps[1].Status = "captured"
	s.Shown[id] = s.Orders[i]
	s.Ledger = s.Ledger[:len(s.Ledger)-2]
	s.refuse(id)
	for i := len(s.Log) - 1; i >= 0; i-- { // the refund is not told: it is the last mail of all
		if s.Log[i].kind() == "NotificationSent" {
			s.Log = slices.Delete(s.Log, i, i+1)
			break
		}
	}
	s.partitions()
	s.Notifications, s.Mails = s.Notifications[:len(s.Notifications)-1], s.Mails[:len(s.Mails)-1]
	s.Payments[id] = client.Payment{OrderID: id, Status: "captured", Authorized: total, Captured: total, Stuck: true}
}

// settle has an operator give back what the gateway would not.
func (s *story) settle(id string) {
	s.refuse(id)
	s.change("PaymentRefunded", id, func(r *Record) {
		r.Event.Data = &schemas.PaymentRefunded{OrderID: id, Amount: total, Currency: "EUR", SettledByHand: true}
	})
	s.Ledger[len(s.Ledger)-1].Account = "settled_by_hand"
}

// spoil appends a record that nobody can read, of which every consumer has a dead letter.
func (s *story) spoil(key string) Record {
	r := Record{
		Topic: "order.events", Offset: int64(len(s.on("order.events"))), Key: []byte(key), Value: []byte("rubbish"),
		Headers: []event.Header{{Key: "ce_type", Value: []byte("?")}}, Fault: event.ErrHeaders,
	}
	s.append(r)
	s.Injected = append(s.Injected, Injected{Topic: r.Topic, Offset: r.Offset, Poison: true})
	headers := fmt.Sprintf(`[[%q,%q]]`, base64.StdEncoding.EncodeToString([]byte("ce_type")),
		base64.StdEncoding.EncodeToString([]byte("?")))
	for _, service := range newIndex(State{}).consumers["order.events"] {
		s.handle(service, r.Topic, r.inboxID(), key, stateDead, r.Value)
		d := s.Databases[service]
		d.Letters = append(d.Letters, Letter{
			Scope: r.Topic, ID: r.inboxID(), Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: headers,
			Class: "headers",
		})
		s.Databases[service] = d
		s.Letters[service] = append(s.Letters[service],
			client.DeadLetter{Topic: r.Topic, MessageID: r.inboxID(), Key: key, State: stateDead})
		s.append(Record{Topic: schemas.DeadLetterTopic(service), Key: r.Key, Value: r.Value, Headers: []event.Header{
			{Key: "dl_scope", Value: []byte(r.Topic)}, {Key: "dl_id", Value: []byte(r.inboxID())},
		}})
	}
	s.partitions()
	return r
}

// wait has a bad record be parked instead of dead.
func (s *story) wait(r Record, class string) {
	for service := range s.Databases {
		s.database(service, func(d *Database) {
			for n := range d.Inbox {
				if d.Inbox[n].ID == r.inboxID() {
					d.Inbox[n].State = stateParked
				}
			}
			for n := range d.Letters {
				if d.Letters[n].ID == r.inboxID() {
					d.Letters[n].Class = class
				}
			}
		})
		for n := range s.Letters[service] {
			if s.Letters[service][n].MessageID == r.inboxID() {
				s.Letters[service][n].State = stateParked
			}
		}
		s.Log = slices.DeleteFunc(s.Log, func(copied Record) bool { return copied.header("dl_id") == r.inboxID() })
	}
	s.partitions()
}
