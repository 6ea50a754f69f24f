package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

const (
	total = 4_200
	lease = 15 * time.Second
)

var origin = store.Origin{Correlation: "0199b1a4-0000-7000-8000-000000000001", Trace: "00-1-2-01"}

// at returns a time that both databases keep as it is.
func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 123_000, time.UTC) }

func place(order string) payment.Message {
	return payment.OrderPlaced{OrderID: order, Amount: total, Currency: "EUR", Method: "tok_visa", At: at(1)}
}

func reserve(order string) payment.Message { return payment.StockReserved{OrderID: order, At: at(2)} }

func confirm(order string) payment.Message {
	return payment.OrderConfirmed{OrderID: order, Amount: total, Currency: "EUR", At: at(3)}
}

func cancel(order string) payment.Message {
	return payment.OrderCancelled{OrderID: order, Amount: total, Currency: "EUR", At: at(4)}
}

func settle(order string) payment.Message {
	return payment.Settle{
		OrderID: order, Settlement: payment.Settlement{Operator: "Åsa", Reason: "by transfer"}, At: at(6),
	}
}

func answer(order string, o payment.Operation, refusal payment.Refusal,
	authorized, captured, refunded int64) payment.Message {
	return payment.Answer{
		OrderID: order, Operation: o, Refusal: refusal, At: at(5),
		Intent: payment.Intent{ID: "pi_" + order, Authorized: authorized, Captured: captured, Refunded: refunded},
	}
}

// decide folds messages into a loaded state and returns the facts, as the unit of work does.
func decide(s *store.State, messages []store.Message) ([]work.Fact[payment.Event], error) {
	var facts []work.Fact[payment.Event]
	for i, m := range messages {
		events, err := m.Decide(s)
		if err != nil {
			return nil, err
		}
		for n, e := range events {
			facts = append(facts, work.Fact[payment.Event]{ID: event.Derive("test", fmt.Sprintf("%s/%d/%d",
				e.Stamped().OrderID, e.Stamped().Version, i), n), Event: e})
		}
	}
	return facts, nil
}

func from(o store.Origin, messages ...payment.Message) []store.Message {
	inputs := make([]store.Message, len(messages))
	for i, m := range messages {
		inputs[i] = store.Message{Message: m, Origin: o}
	}
	return inputs
}

// transact loads, decides and saves in one transaction. Between is called once decided, nil for nothing.
func transact(ctx context.Context, db *sqldb.DB, inputs []store.Message, between func()) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		s, err := store.Load(ctx, tx, inputs)
		if err != nil {
			return err
		}
		facts, err := decide(s, inputs)
		if err != nil {
			return err
		}
		if between != nil {
			between()
		}
		return store.Save(ctx, tx, s, facts)
	})
}

func apply(t *testing.T, db *sqldb.DB, messages ...payment.Message) {
	t.Helper()
	if err := transact(t.Context(), db, from(origin, messages...), nil); err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, tables := range map[string]fs.FS{"work": work.Migrations(), "service": store.Migrations()} {
			if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
				t.Fatal(err)
			}
		}
		fn(t, db)
	})
}

func claim(t *testing.T, db *sqldb.DB, now time.Time, limit int, ended ...work.Ended[store.Call]) []store.Call {
	t.Helper()
	calls, err := store.Leases(lease).Claim(t.Context(), db, ended, now, limit)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func read(t *testing.T, db *sqldb.DB, order string) payment.Payment {
	t.Helper()
	p, err := store.Payment(t.Context(), db, order)
	if err != nil {
		t.Fatal(err)
	}
	return *p
}

// TestSaveKeepsEverything takes payments down every road and compares what is loaded with what was decided.
func TestSaveKeepsEverything(t *testing.T) {
	claimed := func(t *testing.T, db *sqldb.DB) { claim(t, db, at(4), 10) }
	released := func(t *testing.T, db *sqldb.DB) { claim(t, db, at(4).Add(2*lease), 10) }
	type step struct {
		before   func(*testing.T, *sqldb.DB)
		messages []payment.Message
	}
	tests := map[string][]step{
		"only reserved": {{nil, []payment.Message{reserve("o")}}},
		"placed":        {{nil, []payment.Message{place("o"), reserve("o")}}},
		"declined": {
			{nil, []payment.Message{place("o"), reserve("o")}},
			{claimed, []payment.Message{answer("o", payment.Authorize, payment.RefusedCardDeclined, 0, 0, 0)}},
		},
		"refunded": {
			{nil, []payment.Message{place("o"), reserve("o"), confirm("o")}},
			{claimed, []payment.Message{answer("o", payment.Authorize, "", total, 0, 0)}},
			{released, []payment.Message{answer("o", payment.Capture, "", total, total, 0), cancel("o")}},
			{nil, []payment.Message{answer("o", payment.Refund, "", total, total, total)}},
		},
		"refund refused": {
			{nil, []payment.Message{place("o"), reserve("o"), confirm("o")}},
			{claimed, []payment.Message{
				answer("o", payment.Authorize, "", total, 0, 0), answer("o", payment.Capture, "", total, total, 0), cancel("o"),
				answer("o", payment.Refund, payment.RefusedRefundDeclined, total, total, 0),
			}},
		},
		"expired, cancel refused": {
			{nil, []payment.Message{place("o"), reserve("o"), confirm("o")}},
			{claimed, []payment.Message{
				answer("o", payment.Authorize, "", total, 0, 0),
				answer("o", payment.Capture, payment.RefusedAuthorizationExpired, total, 0, 0), cancel("o"),
				answer("o", payment.Cancel, "no_reason_given", total, 0, 0),
			}},
		},
		"voided behind the fence": {
			{nil, []payment.Message{place("o"), reserve("o")}},
			{claimed, []payment.Message{cancel("o"), answer("o", payment.Cancel, "", 0, 0, 0)}},
		},
		"voided without a call": {{nil, []payment.Message{cancel("o")}}},
		"settled by hand": {
			{nil, []payment.Message{place("o"), reserve("o"), confirm("o")}},
			{claimed, []payment.Message{
				answer("o", payment.Authorize, "", total, 0, 0), answer("o", payment.Capture, "", total, total, 0), cancel("o"),
				answer("o", payment.Refund, payment.RefusedRefundDeclined, total, total, 0),
			}},
			{nil, []payment.Message{settle("o")}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				till := &payment.Till{Payments: map[string]*payment.Payment{}}
				for _, s := range steps {
					if s.before != nil {
						s.before(t, db)
						till.Payments["o"].Claims = read(t, db, "o").Claims
					}
					for _, m := range s.messages {
						if _, err := m.Decide(till); err != nil {
							t.Fatal(err)
						}
					}
					apply(t, db, s.messages...)

					want := *till.Payments["o"]
					want.Stored = want.Version
					if diff := cmp.Diff(want, read(t, db, "o")); diff != "" {
						t.Fatalf("loaded (-want +got):\n%s", diff)
					}
				}
			})
		})
	}
}

func TestSaveMeetsAnotherTransaction(t *testing.T) {
	tests := map[string]struct {
		known []payment.Message
		here  payment.Message
		there payment.Message
	}{
		"two create one payment": {nil, place("o"), reserve("o")},
		"two change one payment": {[]payment.Message{place("o")}, confirm("o"), reserve("o")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				if test.known != nil {
					apply(t, db, test.known...)
				}
				// Decided on what was read before another transaction committed, as if nothing had been locked.
				var stale *store.State
				inputs := from(origin, test.here)
				err := db.Tx(t.Context(), func(tx *sqldb.Tx) (err error) {
					stale, err = store.Load(t.Context(), tx, inputs)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				apply(t, db, test.there)

				facts, err := decide(stale, inputs)
				if err != nil {
					t.Fatal(err)
				}
				err = db.Tx(t.Context(), func(tx *sqldb.Tx) error { return store.Save(t.Context(), tx, stale, facts) })
				if !errors.Is(err, work.ErrConflict) && !sqldb.IsDuplicate(err) {
					t.Errorf("G6: saved over what another had learnt: %v", err)
				}
			})
		})
	}
}

func TestPaymentUnknown(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if _, err := store.Payment(t.Context(), db, "nobody"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	})
}
