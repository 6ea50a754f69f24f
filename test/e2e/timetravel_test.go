package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded is an event as /events shows it.
type recorded struct {
	ID, Type    string
	Version     int64
	At          time.Time
	Published   bool
	CausationID string `json:"causation_id"`
	Actor       struct{ Kind, Name string }
	Data        map[string]any
}

func (p *platform) history(t *testing.T, id string) []recorded {
	t.Helper()
	var list struct{ Items []recorded }
	if _, err := call(http.MethodGet, "http://"+p.Services["order"]+"/v1/orders/"+id+"/events", nil, nil, &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// An order's whole life can be read event by event, with who acted, and travelled through by version and by instant;
// that snapshots are kept at every second event changes none of it.
func TestTravelThroughAnOrdersLife(t *testing.T) {
	p := up(t, "--ephemeral", "--set", "QUADRILLE_ORDER_TIMEOUT=15s", "--set", "QUADRILLE_GATEWAY_TIMEOUT=500ms",
		"--set", "QUADRILLE_ORDER_SNAPSHOT_EVERY=2")
	bought := p.place(t, "tok_visa", line{"tea-001", 2})
	p.completed(t, bought.ID)
	url := "http://" + p.Services["order"] + "/v1/orders/" + bought.ID
	reason := map[string]string{"reason": "Changed my mind"}
	if _, err := call(http.MethodPost, url+"/cancellation", nil, reason, nil); err != nil {
		t.Fatal(err)
	}
	stuck := p.place(t, "tok_timeout", line{"tea-001", 1})
	out := p.place(t, "tok_visa", line{"cake-001", 2})

	lives := map[string]struct {
		id      string
		actors  []string // of some of its events, by type
		reason  string
		payload string // a field of the cancellation's data
	}{
		"the customer's": {bought.ID, []string{
			"OrderPlaced customer ada", "StockReserved service inventory", "PaymentAuthorized service payment",
			"StockCommitted service inventory", "PaymentCaptured service payment", "OrderCancelled customer ada",
			"StockReleased service inventory", "PaymentRefunded service payment",
		}, "customer_request", "Changed my mind"},
		"the clock's": {stuck.ID, []string{
			"OrderPlaced customer ada", "StockReserved service inventory", "OrderCancelled clock ",
			"StockReleased service inventory", "PaymentVoided service payment",
		}, "timed_out", ""},
		"a service's": {out.ID, []string{
			"OrderPlaced customer ada", "StockReservationFailed service inventory", "OrderCancelled service inventory",
			"StockReleased service inventory", "PaymentVoided service payment",
		}, "out_of_stock", ""},
	}
	for name, life := range lives {
		t.Run(name, func(t *testing.T) {
			last := p.completed(t, life.id)
			events := p.history(t, life.id)
			var acted []string
			for _, e := range events {
				acted = append(acted, strings.Join([]string{e.Type, e.Actor.Kind, e.Actor.Name}, " "))
				if e.Type == "OrderCancelled" && (e.Data["reason"] != life.reason || life.payload != "" && e.Data["detail"] != life.payload) {
					t.Errorf("the cancellation's data: %v", e.Data)
				}
				if e.CausationID == "" || e.Data == nil {
					t.Errorf("%s lacks its cause or its data: %+v", e.Type, e)
				}
			}
			for _, want := range life.actors {
				if !slices.Contains(acted, want) {
					t.Errorf("nowhere %q among %q", want, acted)
				}
			}
			if int64(len(events)) != last.Version {
				t.Errorf("%d events, version %d", len(events), last.Version)
			}
			p.travel(t, life.id, events)
		})
	}
}

// travel reads an order at each of its events, by version and by instant, and just before.
func (p *platform) travel(t *testing.T, id string, events []recorded) {
	t.Helper()
	at := func(query string) (order, int) {
		var o order
		res, err := call(http.MethodGet, "http://"+p.Services["order"]+"/v1/orders/"+id+query, nil, nil, &o)
		if res == nil {
			t.Fatal(err)
		}
		return o, res.StatusCode
	}
	instant := func(t time.Time) string { return "?at=" + t.UTC().Format(time.RFC3339Nano) }
	status := "pending"
	for i, e := range events {
		switch e.Type {
		case "OrderConfirmed":
			status = "confirmed"
		case "OrderCancelled":
			status = "cancelled"
		}
		if o, code := at(fmt.Sprintf("?version=%d", e.Version)); code != 200 || o.Version != e.Version || o.Status != status {
			t.Errorf("version %d: %d %+v, want it %s", e.Version, code, o, status)
		}
		// Events that share an instant count all, up to the last of them.
		same := i
		for same+1 < len(events) && events[same+1].At.Equal(e.At) {
			same++
		}
		if o, code := at(instant(e.At)); code != 200 || o.Version != events[same].Version {
			t.Errorf("at the instant of %s: %d %+v, want version %d", e.Type, code, o, events[same].Version)
		}
		first := i
		for first > 0 && events[first-1].At.Equal(e.At) {
			first--
		}
		o, code := at(instant(e.At.Add(-time.Microsecond)))
		if first == 0 && code != http.StatusNotFound || first > 0 && o.Version != events[first-1].Version {
			t.Errorf("just before %s: %d %+v", e.Type, code, o)
		}
	}
	for query, want := range map[string]int{
		fmt.Sprintf("?version=%d", len(events)+1): http.StatusNotFound,
		"?version=0":                       http.StatusUnprocessableEntity,
		instant(time.Now().Add(time.Hour)): http.StatusUnprocessableEntity,
		instant(time.Now()):                http.StatusOK,
	} {
		if o, code := at(query); code != want {
			t.Errorf("%s: %d %+v, want %d", query, code, o, want)
		}
	}
}
