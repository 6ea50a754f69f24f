package api_test

import (
	"encoding/json"
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
	"github.com/quadrille-platform/quadrille/services/notification/internal/api"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

const (
	total = 4_200
	known = "0199b1a4-0000-7000-8000-00000000000a"
	early = "0199b1a4-0000-7000-8000-00000000000b" // its refund is known, but the order itself is not
	stray = "0199b1a4-0000-7000-8000-00000000000c"
)

func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC) }

// serve returns an API over an order whose three mails have come to three ends, and one that is not placed yet.
func serve(t *testing.T) http.Handler {
	t.Helper()
	db := sqltest.SQLite(t)
	if err := sqldb.Migrate(t.Context(), db, store.Migrations(), "service"); err != nil {
		t.Fatal(err)
	}
	var inputs []store.Message
	for _, m := range []mail.Message{
		mail.OrderPlaced{
			OrderID: known, Address: "ada@example.com", Domain: "shop.example", Total: total, Currency: "EUR", At: at(1),
		},
		mail.OrderConfirmed{OrderID: known, Total: total, Currency: "EUR", At: at(2)},
		mail.Answer{OrderID: known, Kind: mail.Confirmation, Outcome: mail.Sent, At: at(3)},
		mail.OrderCancelled{
			OrderID: known, Reason: mail.ReasonCustomerRequest, Detail: "ada", Total: total, Currency: "EUR", At: at(4),
		},
		mail.Answer{OrderID: known, Kind: mail.Cancellation, Outcome: mail.Refused, At: at(5)},
		mail.PaymentRefunded{OrderID: known, Amount: total, Currency: "EUR", At: at(6)},
		mail.PaymentRefunded{OrderID: early, Amount: total, Currency: "EUR", At: at(7)},
	} {
		inputs = append(inputs, store.Message{Message: m})
	}
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		s, err := store.Load(t.Context(), tx, inputs)
		if err != nil {
			return err
		}
		for _, in := range inputs {
			if _, err := in.Decide(s); err != nil {
				return err
			}
		}
		return store.Save(t.Context(), tx, s, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	mux, humaAPI := httpapi.New(httpapi.Config{Title: "Notifications", Logger: slog.New(slog.DiscardHandler)})
	api.Register(humaAPI, &api.Parts{DB: db})
	return mux
}

func get(t *testing.T, h http.Handler, path string) (status int, answer map[string]any) {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if strings.Contains(recorder.Body.String(), "ada") {
		t.Errorf("%s shows personal data", path)
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s answered %d %s: %v", path, recorder.Code, recorder.Body, err)
	}
	return recorder.Code, answer
}

var all = []any{
	map[string]any{
		"order_id": known, "kind": "confirmation", "status": "sent", "message_id": known + ".confirmation@shop.example",
		"created_at": "2026-03-01T12:00:02Z", "sent_at": "2026-03-01T12:00:03Z",
	},
	map[string]any{
		"order_id": known, "kind": "cancellation", "status": "failed", "reason": "refused",
		"message_id": known + ".cancellation@shop.example", "created_at": "2026-03-01T12:00:04Z",
		"failed_at": "2026-03-01T12:00:05Z",
	},
	map[string]any{
		"order_id": known, "kind": "refund", "status": "pending", "message_id": known + ".refund@shop.example",
		"created_at": "2026-03-01T12:00:06Z",
	},
	map[string]any{"order_id": early, "kind": "refund", "status": "waiting", "created_at": "2026-03-01T12:00:07Z"},
}

func TestListNotifications(t *testing.T) {
	h := serve(t)
	for path, want := range map[string][]any{
		"/v1/notifications":                             all,
		"/v1/notifications?order_id=" + known:           all[:3],
		"/v1/notifications?order_id=" + early:           all[3:],
		"/v1/notifications?order_id=" + stray:           {},
		"/v1/notifications?limit=100&order_id=" + known: all[:3],
	} {
		status, answer := get(t, h, path)
		if status != http.StatusOK {
			t.Errorf("%s answered %d %v", path, status, answer)
		}
		if diff := cmp.Diff(want, answer["items"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestPagesHoldEveryNotificationOnce(t *testing.T) {
	h := serve(t)
	var got []any
	for path := "/v1/notifications?limit=1"; ; {
		_, answer := get(t, h, path)
		got = append(got, answer["items"].([]any)...)
		cursor, more := answer["next_cursor"].(string)
		if !more {
			break
		}
		path = "/v1/notifications?limit=1&cursor=" + url.QueryEscape(cursor)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	h := serve(t)
	for _, query := range []string{"order_id=no-uuid", "limit=0", "limit=101", "cursor=nonsense"} {
		if status, answer := get(t, h, "/v1/notifications?"+query); status != http.StatusUnprocessableEntity {
			t.Errorf("%s answered %d %v", query, status, answer)
		}
	}
}
