package api_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// served is the order service without Kafka: commands enter over HTTP, events stay in the outbox.
type served struct {
	http.Handler
	// blind is the same API, with a database that takes commands but cannot be read.
	blind http.Handler
	// admin is what operators see; nobody works its rebuilds off.
	admin http.Handler
	do    func(order.Message)
}

func open(t *testing.T) served {
	t.Helper()
	db := sqltest.SQLite(t)
	for name, tables := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": store.Migrations(),
	} {
		if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
			t.Fatal(err)
		}
	}
	unit := work.New(work.Service[order.Message, *order.Book, order.Event]{
		Name: "order", Load: store.Load, Save: store.Saver{SnapshotEvery: 50}.Save,
		Publish: func(order.Event) (event.Event, bool) { return event.Event{}, false },
	}, db, work.Config{Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- unit.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	_, err := unit.Do(t.Context(), work.Message[order.Message]{
		Scope: "test", ID: "tea", At: event.Now(time.Now),
		Input: order.ProductUpdated{SKU: "tea", Name: "Tea", Price: 899, Currency: "EUR", Version: 1},
	})
	if err != nil {
		t.Fatal(err)
	}

	unreadable, err := sqldb.Open(t.Context(), sqltest.SQLiteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := unreadable.Close(); err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "order", LogTo: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	serve := func(db *sqldb.DB) http.Handler {
		mux, humaAPI := httpapi.New(httpapi.Config{Title: "Orders", Logger: slog.New(slog.DiscardHandler)})
		parts := &api.Parts{Config: service.Config{Clock: time.Now}, DB: db, Unit: unit, Telemetry: tel}
		api.Register(humaAPI, parts, api.NewWaiters(), time.Minute)
		return mux
	}
	admin, adminAPI := httpapi.New(httpapi.Config{Title: "Orders admin", Logger: slog.New(slog.DiscardHandler)})
	api.RegisterAdmin(adminAPI, &api.Parts{Config: service.Config{Clock: time.Now}, DB: db},
		projection.NewRebuilder(db, projection.Config{Models: []projection.Rebuildable{
			projection.Of(readmodel.Orders, projection.Streams[*order.Order]{Store: store.Streams()},
				readmodel.ProjectOrders, readmodel.UpsertOrders),
		}, Logger: slog.New(slog.DiscardHandler)}), time.Hour)
	do := func(m order.Message) {
		t.Helper()
		_, err := unit.Do(t.Context(), work.Message[order.Message]{
			Scope: "test", ID: event.NewID(), At: event.Now(time.Now), Input: m,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return served{serve(db), serve(unreadable), admin, do}
}

// call returns the answer and its body.
func call(t *testing.T, h http.Handler, method, path, key, body string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set(httpapi.IdempotencyHeader, key)
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	var decoded map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &decoded); err != nil {
		t.Fatalf("%s %s answered %d %s: %v", method, path, recorder.Code, recorder.Body, err)
	}
	return recorder, decoded
}

const wanted = `{"customer_id":"ada","email":"ada@example.com","payment_method":"tok_visa",
	"lines":[{"sku":"tea","quantity":2}]}`

func TestAnAcceptedOrderIsAnsweredAsItStands(t *testing.T) {
	s := open(t)
	answer, placed := call(t, s, http.MethodPost, "/v1/orders", "", wanted)
	if answer.Code != http.StatusAccepted {
		t.Fatalf("status %d: %v", answer.Code, placed)
	}
	_, got := call(t, s, http.MethodGet, answer.Header().Get("Location"), "", "")
	if diff := cmp.Diff(got, placed); diff != "" {
		t.Errorf("what GET answers against what POST did (-get +post):\n%s", diff)
	}
	if placed["status"] != "pending" || placed["total"].(map[string]any)["amount"] != 1798.0 {
		t.Errorf("placed %v", placed)
	}
}

func TestAnAcceptedOrderThatCannotBeReadIsAcceptedStill(t *testing.T) {
	s := open(t)
	answer, body := call(t, s.blind, http.MethodPost, "/v1/orders", "first", wanted)
	if answer.Code != http.StatusAccepted {
		t.Fatalf("status %d: %v", answer.Code, body)
	}
	location := answer.Header().Get("Location")
	if diff := cmp.Diff(map[string]any{"id": strings.TrimPrefix(location, "/v1/orders/")}, body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	got, found := call(t, s, http.MethodGet, location, "", "")
	if got.Code != http.StatusOK || found["customer_id"] != "ada" {
		t.Errorf("at %s there is %d %v", location, got.Code, found)
	}

	repeat, _ := call(t, s.blind, http.MethodPost, "/v1/orders", "first", wanted)
	if repeat.Code != http.StatusAccepted || repeat.Header().Get("Location") != location {
		t.Errorf("a repeat is answered %d at %s", repeat.Code, repeat.Header().Get("Location"))
	}
	cancelled, body := call(t, s.blind, http.MethodPost, location+"/cancellation", "", `{}`)
	if cancelled.Code != http.StatusAccepted || cancelled.Header().Get("Location") != location {
		t.Errorf("a cancellation is answered %d %v", cancelled.Code, body)
	}
	if read, _ := call(t, s.blind, http.MethodGet, location, "", ""); read.Code < 500 {
		t.Errorf("the database can be read: %d", read.Code)
	}
}

func TestOnlyTheIDOfAnAcceptedOrderIsPromised(t *testing.T) {
	_, document := call(t, open(t), http.MethodGet, "/openapi.json", "", "")
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	acceptance, full := schemas["Acceptance"].(map[string]any), schemas["Order"].(map[string]any)
	if diff := cmp.Diff([]any{"id"}, acceptance["required"]); diff != "" {
		t.Errorf("required (-want +got):\n%s", diff)
	}
	for name := range full["properties"].(map[string]any) {
		if acceptance["properties"].(map[string]any)[name] == nil {
			t.Errorf("an accepted order has no %s", name)
		}
	}
	if got := len(full["required"].([]any)); got < 10 {
		t.Errorf("an order that is read promises only %d fields", got)
	}
}

func TestAnOrderAsItWas(t *testing.T) {
	s := open(t)
	answer, placed := call(t, s, http.MethodPost, "/v1/orders", "", wanted)
	location, at := answer.Header().Get("Location"), placed["placed_at"].(string)
	first, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		t.Fatal(err)
	}
	before := first.Add(-time.Microsecond)
	for name, test := range map[string]struct {
		query string
		want  int
	}{
		"now":                              {"", 200},
		"at its first instant":             {"?at=" + at, 200},
		"long before":                      {"?at=2001-01-01T00:00:00Z", 404},
		"at the zero time":                 {"?at=0001-01-01T00:00:00Z", 404},
		"at the zero time of another zone": {"?at=0001-01-01T01:00:00%2B01:00", 404},
		"at the zero time and a version":   {"?at=0001-01-01T00:00:00Z&version=1", 404},
		"in the future":                    {"?at=9999-01-01T00:00:00Z", 422},
		"at no time":                       {"?at=noon", 422},
		"at an empty time":                 {"?at=", 422},
		"waiting for the past":             {"?at=0001-01-01T00:00:00Z&wait=1s", 422},
		"at its first version":             {"?version=1", 200},
		"at a version to come":             {"?version=2", 404},
		"at version 0":                     {"?version=0", 422},
		"at a version below":               {"?version=-1", 422},
		"just before its first instant":    {"?at=" + before.Format(time.RFC3339Nano), 404},
	} {
		if got, body := call(t, s, http.MethodGet, location+test.query, "", ""); got.Code != test.want {
			t.Errorf("%s: %d, want %d: %v", name, got.Code, test.want, body)
		}
	}
}

func TestEventsSayWhoActedAndNothingPrivate(t *testing.T) {
	s := open(t)
	answer, _ := call(t, s, http.MethodPost, "/v1/orders", "", wanted)
	location := answer.Header().Get("Location")
	call(t, s, http.MethodPost, location+"/cancellation", "", `{"reason":"Changed my mind"}`)
	_, list := call(t, s, http.MethodGet, location+"/events", "", "")
	items := list["items"].([]any)
	if len(items) != 2 {
		t.Fatalf("events %v", items)
	}
	for i, item := range items {
		e := item.(map[string]any)
		if diff := cmp.Diff(map[string]any{"kind": "customer", "name": "ada"}, e["actor"]); diff != "" {
			t.Errorf("actor of event %d (-want +got):\n%s", i, diff)
		}
		for _, field := range []string{"email", "payment_method"} {
			if data := e["data"].(map[string]any); data[field] != nil {
				t.Errorf("event %d tells the %s", i, field)
			}
		}
	}
	if unknown, _ := call(t, s, http.MethodGet, "/v1/orders/"+event.NewID()+"/events", "", ""); unknown.Code != 404 {
		t.Errorf("the events of an unknown order: %d", unknown.Code)
	}
}
