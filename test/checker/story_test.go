package checker

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// The orders of the story. Each bought two of tea at 500.
const (
	kept     = "0190b2c4-0000-7000-8000-000000000001" // confirmed
	declined = "0190b2c4-0000-7000-8000-000000000002" // cancelled, for the card was declined
	returned = "0190b2c4-0000-7000-8000-000000000003" // confirmed, then cancelled by the customer

	tea, total, bought, supplied = "tea", 1000, 2, 10
)

// story is a platform that has kept all its guarantees.
type story struct {
	State
	clock time.Time
	seq   map[string]int64 // of topic and key
}

func newStory() *story {
	s := &story{
		clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), seq: make(map[string]int64),
		State: State{
			Alive: make(map[string]error), Shown: make(map[string]client.Order),
			Histories: make(map[string][]client.OrderEvent), Reservations: make(map[string]client.Reservation),
			Payments: make(map[string]client.Payment), Databases: make(map[string]Database),
			Letters: make(map[string][]client.DeadLetter),
		},
	}
	for _, name := range newIndex(State{}).services() {
		s.Alive[name], s.Databases[name] = nil, Database{InOrder: true}
	}
	s.product()
	s.keep(kept)
	s.decline(declined)
	s.takeBack(returned)
	s.partitions()
	return s
}

func (s *story) product() {
	price := client.Money{Amount: 500, Currency: "EUR"}
	s.send("PUT", "/v1/products/"+tea, "", map[string]any{"name": tea, "price": price}, 200, "")
	s.send("POST", "/v1/products/"+tea+"/restocks", "r1", map[string]any{"quantity": supplied}, 200, "")
	s.publish("product.events", tea, event.Derive("test", "put", 0), 0, &schemas.ProductUpdated{
		SKU: tea, Name: tea, Price: 500, Currency: "EUR", Version: 1,
	})
	s.move("", "restocked", supplied, "")
	s.Products = []client.Product{{SKU: tea, Name: tea, Price: price, Version: 9, Levels: client.Levels{
		Available: supplied - bought, Sold: bought,
	}}}
	s.Catalogue = []client.Product{{SKU: tea, Name: tea, Price: price, Version: 1}}
}

func (s *story) keep(id string) {
	placed := s.place(id)
	reserved := s.publish("inventory.events", id, placed, 0, &schemas.StockReserved{OrderID: id, Lines: stockLines()})
	s.move(id, "reserved", bought, reserved)
	s.operate(id, client.Operation{Operation: "open", After: intent(id, 0, 0, 0)})
	s.operate(id, client.Operation{Operation: "authorize", Key: id + "/authorize", After: intent(id, total, 0, 0)})
	authorized := s.publish("payment.events", id, call(id, 1), 0,
		&schemas.PaymentAuthorized{OrderID: id, Amount: total, Currency: "EUR"})
	s.record(id, "StockReserved", reserved)
	s.record(id, "PaymentAuthorized", authorized)
	confirmed := s.publish("order.events", id, authorized, 1,
		&schemas.OrderConfirmed{OrderID: id, Total: total, Currency: "EUR"})
	committed := s.publish("inventory.events", id, confirmed, 0,
		&schemas.StockCommitted{OrderID: id, Lines: stockLines()})
	s.move(id, "committed", bought, committed)
	s.operate(id, client.Operation{Operation: "capture", Key: id + "/capture", After: intent(id, total, total, 0)})
	captured := s.publish("payment.events", id, call(id, 2), 0,
		&schemas.PaymentCaptured{OrderID: id, Amount: total, Currency: "EUR"})
	s.book(id, captured, "gateway_clearing", "sales")
	s.record(id, "StockCommitted", committed)
	s.record(id, "PaymentCaptured", captured)
	s.mail(id, "confirmation")
	s.Reservations[id] = client.Reservation{Status: "committed", Lines: lines()}
	s.Payments[id] = client.Payment{OrderID: id, Status: "captured", Authorized: total, Captured: total}
	s.show(id, "confirmed", "", "committed", "captured")
}

func (s *story) decline(id string) {
	placed := s.place(id)
	reserved := s.publish("inventory.events", id, placed, 0, &schemas.StockReserved{OrderID: id, Lines: stockLines()})
	s.move(id, "reserved", bought, reserved)
	s.operate(id, client.Operation{Operation: "open", After: intent(id, 0, 0, 0)})
	s.operate(id, client.Operation{Operation: "authorize", Code: "card_declined", After: intent(id, 0, 0, 0)})
	refused := s.publish("payment.events", id, call(id, 1), 0, &schemas.PaymentDeclined{OrderID: id})
	s.record(id, "StockReserved", reserved)
	s.record(id, "PaymentDeclined", refused)
	cancelled := s.cancel(id, refused, 1, schemas.CancellationReasonPaymentDeclined)
	released := s.publish("inventory.events", id, cancelled, 0,
		&schemas.StockReleased{OrderID: id, Lines: stockLines()})
	s.move(id, "released", bought, released)
	s.operate(id, client.Operation{Operation: "cancel", Key: id + "/cancel", After: intent(id, 0, 0, 0)})
	voided := s.publish("payment.events", id, call(id, 2), 0, &schemas.PaymentVoided{OrderID: id})
	s.record(id, "StockReleased", released)
	s.record(id, "PaymentVoided", voided)
	s.mail(id, "cancellation")
	s.Reservations[id] = client.Reservation{Status: "released", Lines: lines()}
	s.Payments[id] = client.Payment{OrderID: id, Status: "voided"}
	s.show(id, "cancelled", "payment_declined", "released", "voided")
}

func (s *story) takeBack(id string) {
	s.keep(id)
	s.send("POST", "/v1/orders/"+id+"/cancellation", "", map[string]any{}, 202, id)
	cancelled := s.cancel(id, event.Derive("test", "cancel "+id, 0), 0, schemas.CancellationReasonCustomerRequest)
	released := s.publish("inventory.events", id, cancelled, 0,
		&schemas.StockReleased{OrderID: id, Lines: stockLines()})
	s.move(id, "returned", bought, released)
	s.operate(id, client.Operation{Operation: "refund", Key: id + "/refund", After: intent(id, total, total, total)})
	refunded := s.publish("payment.events", id, call(id, 3), 0,
		&schemas.PaymentRefunded{OrderID: id, Amount: total, Currency: "EUR"})
	s.book(id, refunded, "sales", "gateway_clearing")
	s.record(id, "StockReleased", released)
	s.record(id, "PaymentRefunded", refunded)
	s.mail(id, "cancellation")
	s.mail(id, "refund")
	s.Reservations[id] = client.Reservation{Status: "released", Lines: lines()}
	s.Payments[id] = client.Payment{OrderID: id, Status: "refunded", Authorized: total, Captured: total, Refunded: total}
	s.show(id, "cancelled", "customer_request", "released", "refunded")
}

func (s *story) place(id string) string {
	body := map[string]any{"customer_id": "ada", "lines": lines()}
	s.send("POST", "/v1/orders", "key of "+id, body, 202, id)
	return s.publish("order.events", id, event.Derive("test", id, 0), 0, &schemas.OrderPlaced{
		OrderID: id, CustomerID: "ada", Email: "ada@example.com", Total: total, Currency: "EUR",
	})
}

func (s *story) cancel(id, cause string, n int, reason schemas.CancellationReason) string {
	cancelled := s.publish("order.events", id, cause, n, &schemas.OrderCancelled{OrderID: id, Reason: reason})
	history := s.Histories[id]
	history[len(history)-1].Data = fmt.Appendf(nil, `{"reason":%q}`, reason)
	return cancelled
}

func (s *story) send(method, path, key string, body any, status int, resource string) {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	s.Sent = append(s.Sent, Sent{method, path, key, encoded, status, resource})
}

// publish appends an event to its topic, hands it to its consumers, and returns its id. One of order's own is in the
// order's history too.
func (s *story) publish(topic, key, cause string, n int, data event.Data) string {
	service := newIndex(State{}).owner[topic]
	s.clock = s.clock.Add(time.Second)
	s.seq[topic+key]++
	e := event.Event{
		ID: event.Derive(service, cause, n), Type: data.EventType(), Source: "/quadrille/" + service, Topic: topic,
		Key: key, Sequence: s.seq[topic+key], Time: s.clock, Data: data,
		Cause: event.Cause{ID: cause, Correlation: event.Derive("test", key, 9)},
	}
	if topic == "order.events" {
		e.Sequence = int64(len(s.Histories[key]) + 1)
		s.history(key, simple(e.Type), e.ID, cause, true)
	}
	value := fmt.Appendf(nil, "%s %s %d", e.Type, key, e.Sequence)
	s.append(Record{Topic: topic, Key: []byte(key), Value: value, Headers: event.Headers(e), Event: e})
	for consumer, types := range newIndex(State{}).wanted {
		if types[e.Type] && topic != "product.events" {
			s.handle(consumer, topic, e.ID, key, "done", value)
		}
	}
	return e.ID
}

func (s *story) append(r Record) {
	r.Offset = int64(len(s.on(r.Topic)))
	s.Log = append(s.Log, r)
}

func (s *story) on(topic string) (found []Record) {
	for _, r := range s.Log {
		if r.Topic == topic {
			found = append(found, r)
		}
	}
	return found
}

func (s *story) handle(service, scope, id, key, state string, value []byte) {
	digest := sha256.Sum256(value)
	d := s.Databases[service]
	d.Inbox = append(d.Inbox, InboxRow{
		Scope: scope, ID: id, State: state, Digest: digest[:], Resource: key, Handled: s.clock,
	})
	s.Databases[service] = d
}

// record puts another service's answer into an order's history.
func (s *story) record(id, kind, cause string) {
	s.history(id, kind, event.Derive("order", cause, 0), cause, false)
}

func (s *story) history(id, kind, eventID, cause string, published bool) {
	s.Histories[id] = append(s.Histories[id], client.OrderEvent{
		ID: eventID, Version: int64(len(s.Histories[id]) + 1), Type: kind, Published: published, CausationID: cause,
		Data: []byte("{}"),
	})
}

func (s *story) move(id, kind string, quantity int64, eventID string) {
	d := s.Databases["inventory"]
	d.Movements = append(d.Movements, Movement{id, tea, 1, kind, quantity, eventID})
	s.Databases["inventory"] = d
}

func (s *story) book(id, eventID, debit, credit string) {
	version := s.seq["payment.events"+id]
	s.Ledger = append(s.Ledger,
		client.LedgerLine{OrderID: id, Version: version, Account: debit, Debit: total, Currency: "EUR", EventID: eventID},
		client.LedgerLine{OrderID: id, Version: version, Account: credit, Credit: total, Currency: "EUR", EventID: eventID})
}

func (s *story) operate(id string, o client.Operation) {
	o.Seq = int64(len(s.Operations) + 1)
	s.Operations = append(s.Operations, o)
}

func (s *story) mail(id, kind string) {
	messageID := id + "." + kind + "@example.com"
	s.publish("notification.events", id, event.Derive("quadrille/call", id+kind, 0), 0,
		&schemas.NotificationSent{OrderID: id, Kind: schemas.MailKind(kind), MessageID: messageID})
	s.Notifications = append(s.Notifications,
		client.Notification{OrderID: id, Kind: kind, Status: "sent", MessageID: messageID})
	s.Mails = append(s.Mails, client.Mail{OrderID: id, MessageID: messageID, Subject: kind, To: []string{"ada@example.com"}})
}

func (s *story) show(id, status, reason, stock, payment string) {
	o := client.Order{
		ID: id, CustomerID: "ada", Status: status, Reason: reason, Version: int64(len(s.Histories[id])), Completed: true,
		Total: client.Money{Amount: total, Currency: "EUR"}, Lines: lines(),
		Steps: []client.Step{{Name: "stock", Status: stock}, {Name: "payment", Status: payment}},
	}
	s.Shown[id] = o
	for i, known := range s.Orders {
		if known.ID == id {
			s.Orders[i] = o
			return
		}
	}
	s.Orders = append(s.Orders, o)
}

// partitions has everything read.
func (s *story) partitions() {
	s.Partitions = nil
	for topic, consumers := range newIndex(State{}).consumers {
		p := Partition{Topic: topic, End: int64(len(s.on(topic))), Committed: make(map[string]int64)}
		for _, service := range consumers {
			p.Committed[service] = p.End
		}
		s.Partitions = append(s.Partitions, p)
	}
}

func call(id string, n int) string { return event.Derive("quadrille/call", fmt.Sprint(id, n), 0) }

func intent(id string, authorized, captured, refunded int64) client.Intent {
	return client.Intent{
		ID: "pi_" + id, Reference: id, Amount: total, Currency: "EUR", Authorized: authorized, Captured: captured,
		Refunded: refunded,
	}
}

func lines() []client.Line { return []client.Line{{SKU: tea, Quantity: bought}} }

func stockLines() []schemas.StockLine { return []schemas.StockLine{{SKU: tea, Quantity: bought}} }
