package sim

import (
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// endings are what can be seen of a run once it is at rest.
var endings = []string{
	"order confirmed",
	"order cancelled: customer_request",
	"order cancelled: out_of_stock",
	"order cancelled: payment_declined",
	"order cancelled: payment_failed",
	"order cancelled: timed_out",
	"StockReserved",
	"StockReservationFailed",
	"StockCommitted",
	"StockReleased",
	"StockReleased of nothing",
	"PaymentAuthorized",
	"PaymentDeclined",
	"PaymentCaptured",
	"PaymentCaptureFailed",
	"PaymentVoided",
	"PaymentRefunded",
	"NotificationSent",
	"NotificationFailed",
	"a confirmed order is cancelled",
	"a saga is stuck",
	"a saga is settled by hand",
	"an event is published twice",
	"a mail arrives twice",
	"a command is answered twice",
	"letter parked",
	"letter dead",
	"letter: redrive",
	"letter: discard",
	"letter: headers",
	"letter: undecodable",
	"letter: unknown_schema",
	"letter: contradiction",
	"letter: behind",
}

// measured says as what the metrics of the services are counted.
var measured = []struct{ metric, label, means string }{
	{"quadrille_work_duplicates_total", "", "a message is known from before"},
	{"quadrille_outbox_failures_total", "", "a lane begins anew"},
	{"quadrille_work_letters_total", `class="not_yet"`, "letter: not_yet"},
	{"quadrille_work_letters_total", `class="save"`, "letter: save"},
	{"quadrille_work_letters_total", `class="behind"`, "letter: behind"},
}

// measure counts what the processes that live in the end have met. What the others have is lost with them.
func (w *World) measure() {
	c := client.NewOver(w.operators, client.Addresses{})
	for _, service := range services {
		inc := w.anyOf(service)
		for _, m := range measured {
			if n, err := c.MetricAt(w.ctx, inc.admin, m.metric, m.label); err == nil && n > 0 {
				w.hit(m.means)
			}
		}
	}
}

// observe counts what a run ended in.
func (w *World) observe(s checker.State) {
	for _, o := range s.Orders {
		ending := "order " + o.Status
		if o.Reason != "" {
			ending += ": " + o.Reason
		}
		w.hit(ending)
		if s.Payments[o.ID].Stuck {
			w.hit("a saga is stuck")
		}
	}
	published := make(map[string]bool)
	confirmed := make(map[string]bool)
	for _, r := range s.Log {
		kind := r.Event.Type[strings.LastIndexByte(r.Event.Type, '.')+1:]
		if published[r.Event.ID] {
			w.hit("an event is published twice")
			continue
		}
		published[r.Event.ID] = true
		w.hit(kind)
		if released, ok := r.Event.Data.(*schemas.StockReleased); ok && len(released.Lines) == 0 {
			w.hit("StockReleased of nothing")
		}
		switch kind {
		case "OrderConfirmed":
			confirmed[r.Event.Key] = true
		case "OrderCancelled":
			if confirmed[r.Event.Key] {
				w.hit("a confirmed order is cancelled")
			}
		}
	}
	arrived := make(map[string]bool)
	for _, m := range s.Mails {
		if arrived[m.MessageID] {
			w.hit("a mail arrives twice")
		}
		arrived[m.MessageID] = true
	}
	answered := make(map[string]bool)
	for _, sent := range s.Sent {
		if name := sent.Path + " " + sent.Key; sent.Key != "" && sent.Status/100 == 2 {
			if answered[name] {
				w.hit("a command is answered twice")
			}
			answered[name] = true
		}
	}
}
