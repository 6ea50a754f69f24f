package load

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/client"
)

func TestAWatcherSeesWhatIsPublishedFromItsStartOn(t *testing.T) {
	b, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for _, topic := range []string{"order.events", "inventory.events", "payment.events"} {
		if _, err := kadm.NewClient(producer).CreateTopic(t.Context(), 6, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	publish := func(topic, kind, order string) {
		t.Helper()
		at = at.Add(time.Second)
		record := &kgo.Record{Topic: topic, Key: []byte(order), Timestamp: at, Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte(kind)}, {Key: "ce_time", Value: []byte("2026-03-01T12:00:00Z")},
		}}
		if err := producer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	publish("order.events", "quadrille.order.OrderPlaced", "before")

	w, err := Watch(t.Context(), b.Addr(), func(context.Context, *kgo.Record) string { return "out_of_stock" })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	for _, e := range []struct{ topic, kind, order string }{
		{"order.events", "quadrille.order.OrderConfirmed", "a"},
		{"inventory.events", "quadrille.inventory.StockCommitted", "a"},
		{"payment.events", "quadrille.payment.PaymentCaptured", "a"},
		{"payment.events", "quadrille.payment.PaymentCaptured", "a"}, // a copy
		{"inventory.events", "quadrille.inventory.StockReservationFailed", "b"},
		{"order.events", "quadrille.order.OrderCancelled", "b"},
		{"inventory.events", "quadrille.inventory.StockReleased", "b"},
		{"payment.events", "quadrille.payment.PaymentVoided", "b"},
		{"order.events", "quadrille.order.OrderPlaced", "c"},
	} {
		publish(e.topic, e.kind, e.order)
	}
	waiting, cancelWait := context.WithTimeout(t.Context(), time.Minute)
	defer cancelWait()
	orders := []Accepted{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "before"}}
	var sagas []Saga
	err = client.Until(waiting, "the sagas", func() error {
		sagas = w.Find(orders)
		if completed, strayed := w.Count(); completed != 2 || strayed != 4 || sagas[2].At[OrderPlaced].Published.IsZero() {
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"confirmed", "cancelled: out_of_stock", "pending", "pending"} {
		if got := sagas[i].Outcome(); got != want {
			t.Errorf("order %s is %q, want %q", orders[i].ID, got, want)
		}
	}
	if sagas[3] != (Saga{}) {
		t.Errorf("saw what was before its start: %+v", sagas[3])
	}
	if arrived := sagas[0].At[OrderConfirmed].Arrived; !arrived.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("arrived %s", arrived)
	}
	if took := sagas[0].Completed().Sub(sagas[0].Decided()); took != 2*time.Second {
		t.Errorf("completed %s after it was decided: the copy counts", took)
	}
	w.Forget("a")
	if found := w.Find(orders[:1]); found[0] != (Saga{}) {
		t.Errorf("remembers %+v", found[0])
	}
}
