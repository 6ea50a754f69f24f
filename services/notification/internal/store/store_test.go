package store_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

const (
	total = 4_200
	lease = 15 * time.Second
)

var (
	origin = store.Origin{Correlation: "0199b1a4-0000-7000-8000-000000000001", Trace: "00-1-2-01"}
	lines  = []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 1_100}, {SKU: "ü\"\\", Quantity: 1, UnitPrice: 2_000}}
)

// at returns a time that both databases keep as it is.
func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 123_000, time.UTC) }

func place(order string) mail.Message {
	return mail.OrderPlaced{
		OrderID: order, Address: "ada@example.com", Domain: "shop.example", Lines: lines, Total: total, Currency: "EUR",
		At: at(1),
	}
}

func confirm(order string) mail.Message {
	return mail.OrderConfirmed{OrderID: order, Total: total, Currency: "EUR", At: at(2)}
}

func cancel(order string) mail.Message {
	return mail.OrderCancelled{
		OrderID: order, Reason: mail.ReasonCustomerRequest, Detail: "My words", Total: total, Currency: "EUR", At: at(3),
	}
}

func refund(order string) mail.Message {
	return mail.PaymentRefunded{OrderID: order, Amount: total, Currency: "EUR", At: at(4)}
}

func answer(order string, kind mail.Kind, outcome mail.Outcome) mail.Message {
	return mail.Answer{OrderID: order, Kind: kind, Outcome: outcome, At: at(5)}
}

func from(o store.Origin, messages ...mail.Message) []store.Message {
	inputs := make([]store.Message, len(messages))
	for i, m := range messages {
		inputs[i] = store.Message{Message: m, Origin: o}
	}
	return inputs
}

func decide(s *store.State, inputs []store.Message) error {
	for _, in := range inputs {
		if _, err := in.Decide(s); err != nil {
			return err
		}
	}
	return nil
}

func transact(ctx context.Context, db *sqldb.DB, inputs []store.Message) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		s, err := store.Load(ctx, tx, inputs)
		if err != nil {
			return err
		}
		if err := decide(s, inputs); err != nil {
			return err
		}
		return store.Save(ctx, tx, s, nil)
	})
}

func apply(t *testing.T, db *sqldb.DB, messages ...mail.Message) {
	t.Helper()
	if err := transact(t.Context(), db, from(origin, messages...)); err != nil {
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

// read loads one order's log.
func read(t *testing.T, db *sqldb.DB, order string) *mail.Log {
	t.Helper()
	var s *store.State
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) (err error) {
		s, err = store.Load(t.Context(), tx, from(origin, confirm(order)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Room.Logs[order]
}

// TestSaveKeepsEverything takes logs down every road and compares what is loaded with what was decided.
func TestSaveKeepsEverything(t *testing.T) {
	tests := map[string][][]mail.Message{
		"only refunded": {{refund("o")}},
		"confirmed":     {{place("o")}, {confirm("o")}, {answer("o", mail.Confirmation, mail.Sent)}},
		"all at once":   {{place("o"), confirm("o"), answer("o", mail.Confirmation, mail.Refused), cancel("o"), refund("o")}},
		"one by one": {
			{refund("o")}, {cancel("o")}, {place("o")}, {answer("o", mail.Cancellation, mail.Expired)},
			{answer("o", mail.Refund, mail.Sent)},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				room := &mail.Room{}
				apply(t, db, place("another"), cancel("another"))
				for _, messages := range steps {
					for _, m := range messages {
						if _, err := m.Decide(room); err != nil {
							t.Fatal(err)
						}
					}
					apply(t, db, messages...)
					want := *room.Logs["o"]
					want.Stored = want.Version
					if diff := cmp.Diff(&want, read(t, db, "o")); diff != "" {
						t.Fatalf("loaded (-want +got):\n%s", diff)
					}
				}
			})
		})
	}
}

func TestSaveMeetsAnotherTransaction(t *testing.T) {
	tests := map[string]struct {
		known       []mail.Message
		here, there mail.Message
	}{
		"two create one log": {nil, place("o"), refund("o")},
		"two change one log": {[]mail.Message{place("o")}, confirm("o"), refund("o")},
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
				if err := decide(stale, inputs); err != nil {
					t.Fatal(err)
				}
				err = db.Tx(t.Context(), func(tx *sqldb.Tx) error { return store.Save(t.Context(), tx, stale, nil) })
				if !errors.Is(err, work.ErrConflict) && !sqldb.IsDuplicate(err) {
					t.Errorf("saved over another's change: %v", err)
				}
			})
		})
	}
}

// TestClaimReturnsTheWholeMail and, of an order's mails, one at a time.
func TestClaimReturnsTheWholeMail(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		later := store.Origin{Correlation: "another", Trace: "another"}
		claim := func(ended ...work.Ended[store.Call]) []store.Call {
			t.Helper()
			calls, err := store.Leases(lease).Claim(t.Context(), db, ended, at(10), 10)
			if err != nil {
				t.Fatal(err)
			}
			return calls
		}
		apply(t, db, confirm("no-address"), place("no-mail"))
		for _, inputs := range [][]store.Message{from(origin, place("o")), from(later, confirm("o"), cancel("o"))} {
			if err := transact(t.Context(), db, inputs); err != nil {
				t.Fatal(err)
			}
		}
		want := []store.Call{{
			Call: mail.Call{
				OrderID: "o", Kind: mail.Confirmation, MessageID: "o.confirmation@shop.example", To: "ada@example.com",
				Date: at(2), Due: at(2), Lines: lines, Total: total, Currency: "EUR", Reason: mail.ReasonCustomerRequest,
				Detail: "My words",
			},
			Claim: 1, Origin: origin, // that of the first message
		}}
		first := claim()
		if diff := cmp.Diff(want, first); diff != "" {
			t.Errorf("first mail (-want +got):\n%s", diff)
		}
		if calls := claim(); len(calls) > 0 {
			t.Errorf("claimed beside it: %+v", calls)
		}
		apply(t, db, answer("o", mail.Confirmation, mail.Sent))
		want[0].Kind, want[0].MessageID, want[0].Claim = mail.Cancellation, "o.cancellation@shop.example", 2
		want[0].Date, want[0].Due = at(3), at(5)
		if diff := cmp.Diff(want, claim(work.Ended[store.Call]{Call: first[0]})); diff != "" {
			t.Errorf("next mail (-want +got):\n%s", diff)
		}
	})
}

func TestNotificationsAreListedAsTheyWereLearnt(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, refund("b"), place("a"), confirm("a"), cancel("a"), answer("a", mail.Confirmation, mail.Refused), cancel("c"))
		want := []store.Notification{
			{
				Position:  store.Position{CreatedAt: at(2), OrderID: "a", Kind: mail.Confirmation},
				Mail:      mail.Mail{CreatedAt: at(2), DueAt: at(2), Outcome: mail.Refused, EndedAt: at(5)},
				MessageID: "a.confirmation@shop.example",
			},
			{
				Position:  store.Position{CreatedAt: at(3), OrderID: "a", Kind: mail.Cancellation},
				Mail:      mail.Mail{CreatedAt: at(3), DueAt: at(5)},
				MessageID: "a.cancellation@shop.example",
			},
			{
				Position: store.Position{CreatedAt: at(3), OrderID: "c", Kind: mail.Cancellation},
				Mail:     mail.Mail{CreatedAt: at(3)},
			},
			{
				Position: store.Position{CreatedAt: at(4), OrderID: "b", Kind: mail.Refund},
				Mail:     mail.Mail{CreatedAt: at(4)},
			},
		}
		list := func(order string, after store.Position, limit int) []store.Notification {
			t.Helper()
			found, err := store.Notifications(t.Context(), db, order, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if diff := cmp.Diff(want, list("", store.Position{}, 10)); diff != "" {
			t.Errorf("all (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[:2], list("a", store.Position{}, 10)); diff != "" {
			t.Errorf("of one order (-want +got):\n%s", diff)
		}
		var after store.Position
		for i := range want {
			page := list("", after, 1)
			if diff := cmp.Diff(want[i:i+1], page); diff != "" {
				t.Fatalf("page %d (-want +got):\n%s", i+1, diff)
			}
			after = page[0].Position
		}
		if rest := list("", after, 1); len(rest) > 0 {
			t.Errorf("after the last: %+v", rest)
		}
	})
}
