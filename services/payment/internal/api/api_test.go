package api_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/api"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

const (
	total = 4_200
	known = "0199b1a4-0000-7000-8000-00000000000a"
	early = "0199b1a4-0000-7000-8000-00000000000b" // its stock is reserved, but the order itself is not known
	stray = "0199b1a4-0000-7000-8000-00000000000c"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// serve returns an API over a payment that was captured and one that has just begun.
func serve(t *testing.T) http.Handler {
	t.Helper()
	db := sqltest.SQLite(t)
	for name, tables := range map[string]fs.FS{"work": work.Migrations(), "service": store.Migrations()} {
		if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
			t.Fatal(err)
		}
	}
	take := func(messages ...payment.Message) {
		t.Helper()
		inputs := make([]store.Message, len(messages))
		for i, m := range messages {
			inputs[i] = store.Message{Message: m}
		}
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			s, err := store.Load(t.Context(), tx, inputs)
			if err != nil {
				return err
			}
			var facts []work.Fact[payment.Event]
			for _, in := range inputs {
				events, err := in.Decide(s)
				if err != nil {
					return err
				}
				for _, e := range events {
					facts = append(facts, work.Fact[payment.Event]{ID: "e-" + fmt.Sprint(e.Stamped().Version), Event: e})
				}
			}
			return store.Save(t.Context(), tx, s, facts)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	take(
		payment.OrderPlaced{OrderID: known, Amount: total, Currency: "EUR", Method: "tok_visa", At: at},
		payment.StockReserved{OrderID: known, At: at}, payment.StockReserved{OrderID: early, At: at},
		payment.OrderConfirmed{OrderID: known, Amount: total, Currency: "EUR", At: at},
	)
	if _, err := store.Leases(0).Claim(t.Context(), db, nil, at, 10); err != nil {
		t.Fatal(err)
	}
	take(
		payment.Answer{
			OrderID: known, Operation: payment.Authorize, Intent: payment.Intent{ID: "pi", Authorized: total}, At: at,
		},
		payment.Answer{
			OrderID: known, Operation: payment.Capture, At: at,
			Intent: payment.Intent{ID: "pi", Authorized: total, Captured: total},
		},
	)
	mux, humaAPI := httpapi.New(httpapi.Config{Title: "Payments", Logger: slog.New(slog.DiscardHandler)})
	api.Register(humaAPI, &api.Parts{DB: db})
	return mux
}

func get(t *testing.T, h http.Handler, path string, into any) int {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if strings.Contains(recorder.Body.String(), "tok_visa") {
		t.Errorf("%s shows the payment token", path)
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), into); err != nil {
		t.Fatalf("%s answered %d %s: %v", path, recorder.Code, recorder.Body, err)
	}
	return recorder.Code
}

func TestGetPayment(t *testing.T) {
	h := serve(t)
	tests := map[string]struct {
		path   string
		status int
		want   map[string]any
	}{
		"captured": {known, 200, map[string]any{
			"order_id": known, "status": "captured", "amount": 4200.0, "currency": "EUR", "authorized": 4200.0,
			"captured": 4200.0, "refunded": 0.0, "calls": 1.0, "stuck": false, "settled_by_hand": false, "version": 5.0,
			"updated_at": "2026-03-01T12:00:00Z",
		}},
		"only its stock is known": {early, 200, map[string]any{
			"order_id": early, "status": "pending", "amount": 0.0, "authorized": 0.0, "captured": 0.0, "refunded": 0.0,
			"calls": 0.0, "stuck": false, "settled_by_hand": false, "version": 1.0, "updated_at": "2026-03-01T12:00:00Z",
		}},
		"unknown": {stray, 404, map[string]any{
			"type": "urn:quadrille:problem:not-found", "title": "Nothing was found at this address", "status": 404.0,
			"detail": "Nothing is known of the payment of this order.",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got map[string]any
			if status := get(t, h, "/v1/payments/"+test.path, &got); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestListLedger(t *testing.T) {
	h := serve(t)
	want := []api.Line{
		{OrderID: known, Version: 5, Line: 1, Account: payment.GatewayClearing, Debit: total},
		{OrderID: known, Version: 5, Line: 2, Account: payment.Sales, Credit: total},
	}
	for i := range want {
		want[i].Currency, want[i].EventID, want[i].BookedAt = "EUR", "e-5", at
	}
	for query, want := range map[string][]api.Line{
		"": want, "&order_id=" + known: want, "&order_id=" + early: {},
	} {
		got := []api.Line{}
		for path, more := "/v1/ledger?limit=1"+query, true; more; {
			var page httpapi.List[api.Line]
			if status := get(t, h, path, &page); status != 200 {
				t.Fatalf("%s answered %d", path, status)
			}
			if page.Items == nil || len(page.Items) > 1 {
				t.Fatalf("a page of one holds %v", page.Items)
			}
			got, more = append(got, page.Items...), page.NextCursor != ""
			path = "/v1/ledger?limit=1" + query + "&cursor=" + url.QueryEscape(page.NextCursor)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestBadRequests(t *testing.T) {
	h := serve(t)
	for path, field := range map[string]string{
		"/v1/payments/nonsense": "order_id", "/v1/ledger?order_id=nonsense": "order_id",
		"/v1/ledger?cursor=nonsense": "cursor", "/v1/ledger?limit=0": "limit", "/v1/ledger?colour=red": "colour",
	} {
		var problem httpapi.Problem
		status := get(t, h, path, &problem)
		if status != 422 || len(problem.Errors) != 1 || problem.Errors[0].Field != field {
			t.Errorf("%s answered %d %+v", path, status, problem)
		}
	}
}
