package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// platform answers as the parts of one do, all at one address.
func platform(t *testing.T, answer http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	all := map[string]string{"order": addr, "inventory": addr, "payment": addr, "notification": addr}
	return client.New(client.Addresses{Gateway: addr, Mail: addr, Services: all, Admin: all})
}

func TestCallSendsAndDecodes(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, r *http.Request) {
		var p client.Purchase
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		if r.Header.Get("Idempotency-Key") != "once" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		if diff := cmp.Diff(client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 2}), p); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id":"7","status":"pending"}`)
	})
	o, err := c.With("Idempotency-Key", "once").Place(t.Context(), client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 2}))
	if err != nil || o.ID != "7" || o.Status != "pending" {
		t.Errorf("placed %+v (%v)", o, err)
	}
}

func TestWithAndAtLeaveTheClientAsItWas(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"id":%q}`, r.Header.Get("X-One")+r.Header.Get("X-Two"))
	})
	before := c.Services["order"]
	one := c.With("X-One", "1")
	both := one.With("X-Two", "2")
	if other := c.At("order", "127.0.0.1:1"); other.Services["order"] != "127.0.0.1:1" || c.Services["order"] != before {
		t.Error("At changed the client that it was called on")
	}
	for want, c := range map[string]*client.Client{"": c, "1": one, "12": both} {
		if o, err := c.Order(t.Context(), "7"); err != nil || o.ID != want {
			t.Errorf("sent %q, want %q (%v)", o.ID, want, err)
		}
	}
}

func TestTheTokenIsForAdminListenersAlone(t *testing.T) {
	shown := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"id":%q,"service":%[1]q}`, r.Header.Get("Authorization"))
	}
	c := platform(t, shown).WithToken("secret")
	admin := httptest.NewServer(http.HandlerFunc(shown))
	defer admin.Close()
	c.Admin = map[string]string{"order": strings.TrimPrefix(admin.URL, "http://")}
	if o, err := c.Order(t.Context(), "7"); err != nil || o.ID != "" {
		t.Errorf("the API was shown %q (%v)", o.ID, err)
	}
	if i, err := c.Instance(t.Context(), "order"); err != nil || i.Service != "Bearer secret" {
		t.Errorf("the admin listener was shown %q (%v)", i.Service, err)
	}
}

func TestARefusalHoldsStatusAndWords(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"code":"canceled"}`)
	})
	_, err := c.Authorize(t.Context(), "pi_1", "key")
	if client.StatusOf(err) != http.StatusConflict || !strings.Contains(err.Error(), `409 Conflict: {"code":"canceled"}`) {
		t.Errorf("error %v", err)
	}
	if client.StatusOf(errors.New("another")) != 0 || client.StatusOf(nil) != 0 {
		t.Error("what is no refusal has a status")
	}
}

func TestAnAnswerThatIsNoJSONIsShown(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	if _, err := c.Order(t.Context(), "7"); err == nil || !strings.Contains(err.Error(), `answered "<html>"`) {
		t.Errorf("error %v", err)
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, r *http.Request) {
		switch cursor := r.URL.Query().Get("cursor"); {
		case r.URL.Path == "/v1/ledger" && r.URL.Query().Get("after") != "": // the gateway's
			after := r.URL.Query().Get("after")
			pages := map[string]string{
				"0": `{"operations":[{"seq":1,"operation":"open"},{"seq":2,"operation":"authorize"}],"next":2}`,
				"2": `{"operations":[{"seq":3,"operation":"capture"}],"next":3}`,
			}
			if page := pages[after]; page != "" {
				fmt.Fprint(w, page)
				return
			}
			fmt.Fprint(w, `{"operations":[],"next":3}`)
		case r.URL.Query().Get("limit") != "100":
			t.Errorf("asked for %s", r.URL)
		case cursor == "":
			fmt.Fprint(w, `{"items":[{"sku":"a"},{"sku":"b"}],"next_cursor":"more"}`)
		default:
			fmt.Fprint(w, `{"items":[{"sku":"c"}]}`)
		}
	})
	skus, err := c.OnSale(t.Context())
	if diff := cmp.Diff([]string{"a", "b", "c"}, skus); diff != "" || err != nil {
		t.Errorf("on sale (-want +got):\n%s%v", diff, err)
	}
	operations, err := c.Operations(t.Context())
	if err != nil || len(operations) != 3 || operations[2].Operation != "capture" {
		t.Errorf("operations %+v (%v)", operations, err)
	}
}

func TestMetricsAreSummedByTheirLabels(t *testing.T) {
	c := platform(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `# HELP quadrille_lag Records.
# TYPE quadrille_lag gauge
quadrille_lag{topic="order.events",partition="1"} 2
quadrille_lag{topic="order.events",partition="2"} 1.5e+01
quadrille_lag{topic="payment.events",partition="1"} 100
quadrille_lag_total 7
bare 3
broken{a="b"} many
`)
	})
	tests := []struct {
		name   string
		labels []string
		want   float64
	}{
		{"quadrille_lag", nil, 117},
		{"quadrille_lag", []string{`topic="order.events"`}, 17},
		{"quadrille_lag", []string{`topic="order.events"`, `partition="2"`}, 15},
		{"quadrille_lag_total", nil, 7},
		{"bare", nil, 3},
		{"quadrille", nil, 0},
		{"quadrille_lag", []string{`topic="none"`}, 0},
	}
	for _, tt := range tests {
		if got, err := c.Metric(t.Context(), "order", tt.name, tt.labels...); err != nil || got != tt.want {
			t.Errorf("%s%q is %g, want %g (%v)", tt.name, tt.labels, got, tt.want, err)
		}
	}
	if _, err := c.Metric(t.Context(), "order", "broken"); err == nil {
		t.Error("a metric that is no number was read")
	}
}

func TestUntilSaysWhatItWaitedFor(t *testing.T) {
	tries := 0
	err := client.Until(t.Context(), "tea", func() error {
		if tries++; tries < 3 {
			return errors.New("no water")
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("error %v after %d tries", err, tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	noWater := errors.New("no water")
	err = client.Until(ctx, "tea", func() error {
		if ctx.Err() != nil {
			return ctx.Err() // as a request would be cut short
		}
		cancel()
		return noWater
	})
	if !errors.Is(err, noWater) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "in vain for tea") {
		t.Errorf("error %v", err)
	}
}
