package api_test

import (
	"context"
	"encoding/json"
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
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/api"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// office is the admin API beside the public one, over a unit of work whose events stay private.
type office struct{ admin, public http.Handler }

// open returns an office with a payment whose refund was refused for good, and one that has just begun.
func open(t *testing.T, db *sqldb.DB) office {
	t.Helper()
	for name, tables := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": store.Migrations(),
	} {
		if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
			t.Fatal(err)
		}
	}
	unit := work.New(work.Service[store.Message, *store.State, payment.Event]{
		Name: "payment", Load: store.Load, Save: store.Save,
		Publish: func(payment.Event) (event.Event, bool) { return event.Event{}, false },
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
	do := func(messages ...payment.Message) {
		t.Helper()
		for _, m := range messages {
			_, err := unit.Do(t.Context(), work.Message[store.Message]{
				Scope: "test", ID: event.NewID(), At: at, Input: store.Message{Message: m},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	money := func(o payment.Operation, refusal payment.Refusal, captured int64) payment.Message {
		return payment.Answer{OrderID: known, Operation: o, Refusal: refusal, At: at,
			Intent: payment.Intent{ID: "pi", Authorized: total, Captured: captured}}
	}
	do(payment.OrderPlaced{OrderID: known, Amount: total, Currency: "EUR", Method: "tok_refund_declined", At: at},
		payment.StockReserved{OrderID: known, At: at}, payment.StockReserved{OrderID: early, At: at},
		payment.OrderConfirmed{OrderID: known, Amount: total, Currency: "EUR", At: at})
	if _, err := store.Leases(0).Claim(t.Context(), db, nil, at.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	do(money(payment.Authorize, "", 0), money(payment.Capture, "", total),
		payment.OrderCancelled{OrderID: known, Amount: total, Currency: "EUR", At: at},
		money(payment.Refund, payment.RefusedRefundDeclined, total))

	parts := &api.Parts{Config: service.Config{Clock: time.Now}, DB: db, Unit: unit}
	quiet := httpapi.Config{Title: "Payments", Logger: slog.New(slog.DiscardHandler)}
	admin, adminAPI := httpapi.New(quiet)
	api.RegisterAdmin(adminAPI, parts)
	public, publicAPI := httpapi.New(quiet)
	api.Register(publicAPI, parts)
	return office{admin, public}
}

// settle asks for a settlement and returns the status and what was answered.
func (o office) settle(t *testing.T, order, operator, key, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"/admin/v1/payments/"+order+"/settlement", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if operator != "" {
		request.Header.Set(httpapi.OperatorHeader, operator)
	}
	if key != "" {
		request.Header.Set(httpapi.IdempotencyHeader, key)
	}
	recorder := httptest.NewRecorder()
	o.admin.ServeHTTP(recorder, request)
	var answer map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("answered %d %s: %v", recorder.Code, recorder.Body, err)
	}
	return recorder.Code, answer
}

func TestAStuckPaymentIsSettledOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := open(t, db)
		const body = `{"reason":"Refunded by bank transfer"}`
		status, settled := o.settle(t, known, "Ada Lovelace", "once", body)
		if status != http.StatusOK || settled["status"] != "refunded" || settled["settled_by_hand"] != true ||
			settled["stuck"] != false || settled["refunded"] != float64(total) {
			t.Fatalf("answered %d %v", status, settled)
		}
		if status, again := o.settle(t, known, "Ada Lovelace", "once", body); status != http.StatusOK ||
			!cmp.Equal(again, settled) {
			t.Errorf("repeated: %d %v", status, again)
		}
		for name, key := range map[string]string{"under no key": "", "under another key": "twice"} {
			if status, _ := o.settle(t, known, "Ada Lovelace", key, body); status != http.StatusConflict {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, _ := o.settle(t, known, "Eve", "once", body); status != http.StatusConflict {
			t.Errorf("by another operator under the same key: %d", status)
		}
		var ledger httpapi.List[api.Line]
		if get(t, o.public, "/v1/ledger?order_id="+known, &ledger); len(ledger.Items) != 4 {
			t.Fatalf("the ledger: %+v", ledger.Items)
		}
		taken, given := ledger.Items[2], ledger.Items[3]
		if taken.Account != payment.Sales || taken.Debit != total || given.Account != payment.SettledByHand ||
			given.Credit != total || given.Operator != "Ada Lovelace" || given.Reason != "Refunded by bank transfer" ||
			ledger.Items[0].Operator != "" {
			t.Errorf("the ledger: %+v", ledger.Items)
		}
	})
}

func TestASettlementIsRefused(t *testing.T) {
	o := open(t, sqltest.SQLite(t))
	for name, test := range map[string]struct {
		order, operator, body string
		want                  int
	}{
		"without an operator":      {known, "", `{"reason":"why"}`, 400},
		"without a reason":         {known, "ada", `{}`, 422},
		"with an empty reason":     {known, "ada", `{"reason":""}`, 422},
		"with a blank reason":      {known, "ada", `{"reason":"  "}`, 422},
		"with NUL in its reason":   {known, "ada", `{"reason":"a\u0000"}`, 400},
		"of an unknown payment":    {stray, "ada", `{"reason":"why"}`, 404},
		"of one that is not stuck": {early, "ada", `{"reason":"why"}`, 409},
		"of no order":              {"tea", "ada", `{"reason":"why"}`, 422},
	} {
		if status, body := o.settle(t, test.order, test.operator, "", test.body); status != test.want {
			t.Errorf("%s: %d, want %d: %v", name, status, test.want, body)
		}
	}
}
