package checker

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

func TestAPlatformThatKeptItsGuaranteesIsFoundSound(t *testing.T) {
	for name, change := range map[string]func(*story){
		"as it is": func(*story) {},
		"every record delivered twice": func(s *story) {
			for _, r := range slices.Clone(s.Log) {
				s.append(r)
			}
			s.partitions()
		},
		"an answer was lost and the request repeated": func(s *story) {
			lost := s.Sent[2]
			lost.Status, lost.Resource = 0, ""
			s.Sent = slices.Insert(s.Sent, 2, lost)
		},
		"an answer was lost for ever": func(s *story) { s.Sent[2].Status, s.Sent[2].Resource = 0, "" },
		"503 whose outcome is unknown": func(s *story) {
			s.Sent[2].Status, s.Sent[2].Resource = 503, ""
		},
		"a mail repeated to the letter after a kill": func(s *story) {
			s.Lost, s.Mails = true, append(s.Mails, s.Mails[0])
		},
		"a bad record, dead": func(s *story) { s.spoil("nobody") },
		"a record of an unknown schema waits behind a dead one": func(s *story) {
			s.spoil("nobody")
			s.wait(s.spoil("nobody"), "unknown_schema")
		},
		"a bad record, discarded": func(s *story) {
			s.discard(s.spoil(kept), "olga")
		},
		"a bad record, discarded before it was dead": func(s *story) {
			s.discard(s.spoil("nobody"), "olga")
			s.database("payment", func(d *Database) { d.Letters[0].Class = "unknown_schema" })
			s.uncopy("payment")
		},
		"a parked event was done later than what has another key": func(s *story) {
			row := s.row("payment", "OrderConfirmed", kept)
			row.Attempts, row.Handled = 3, row.Handled.Add(time.Hour)
		},
		"a service handled all at once": func(s *story) {
			s.database("payment", func(d *Database) {
				for n := range d.Inbox {
					d.Inbox[n].Handled = s.clock
				}
				slices.Reverse(d.Inbox)
			})
		},
		"two processes handled a key, as far apart as a transaction takes": func(s *story) {
			s.Skew = 20 * time.Second
			row := s.row("payment", "StockReserved", kept)
			row.Handled = row.Handled.Add(10 * time.Second)
			row = s.row("payment", "OrderPlaced", kept)
			row.Handled = row.Handled.Add(10 * time.Second)
		},
		"a bad record about an order holds its events back": func(s *story) {
			s.spoil(kept)
			s.unend(kept)
		},
		"a refund that the gateway refuses is stuck": func(s *story) { s.stick(returned) },
		"an operator settled the refund by hand":     func(s *story) { s.settle(returned) },
		"a type that nobody knows": func(s *story) {
			r := s.Log[slices.IndexFunc(s.Log, func(r Record) bool { return r.Topic == "order.events" })]
			r.Event.ID, r.Event.Type, r.Unknown = event.Derive("test", "x", 0), "quadrille.order.OrderPraised", true
			r.Event.Data = nil
			s.Injected = append(s.Injected, Injected{Topic: r.Topic, Offset: int64(len(s.on(r.Topic)))})
			s.append(r)
			s.partitions()
		},
		"nobody took notes and no database was open": func(s *story) { s.Sent, s.Databases = nil, nil },
		"a product was withdrawn": func(s *story) {
			r := s.on("product.events")[0]
			r.Event.ID, r.Event.Sequence, r.Event.Data, r.Value = event.Derive("test", "w", 0), 2, nil, nil
			s.Injected = append(s.Injected, Injected{Topic: r.Topic, Offset: 1})
			s.append(r)
			s.partitions()
			s.Catalogue = []client.Product{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory()
			change(s)
			if found := Check(s.State); len(found) > 0 {
				t.Errorf("found violations:\n%s", Report(found, 10))
			}
		})
	}
}

// Each violation is one change to a sound story, and must be found under its guarantee.
func TestEachViolationIsFound(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*story)
		want   string // the beginning of what is found; orders are named by the constants' values
		text   string // and a part of it
	}{
		{"an accepted order is gone", func(s *story) { s.forget(kept) }, "G1: " + kept, "accepted (202) and is not there"},
		{"an accepted order is not on Kafka", func(s *story) { s.lose("OrderPlaced", kept) },
			"G1: " + kept, "OrderPlaced is not on Kafka"},
		{"an accepted cancellation is not on Kafka", func(s *story) { s.lose("OrderCancelled", returned) },
			"G1: " + returned, "OrderCancelled is not on Kafka"},
		{"a committed event is not on Kafka", func(s *story) { s.lose("OrderConfirmed", kept) },
			"G1: " + kept, "was committed and is not on Kafka"},
		{"an event on Kafka was never committed", func(s *story) { delete(s.Histories, kept) }, "G1: " + kept, "no order"},
		{"a refused order was placed", func(s *story) { s.Sent[2].Status, s.Sent[2].Resource = 422, "" },
			"G1: " + kept, "nobody was told of the order"},
		{"an order that was not done was placed", func(s *story) {
			s.Sent[2].Status, s.Sent[2].Resource, s.BusyUndone = 503, "", true
		}, "G1: " + kept, "nobody was told of the order"},
		{"one key made two orders", func(s *story) { s.Sent[3].Key = s.Sent[2].Key }, "G1: " + declined, "was answered with"},
		{"one key took two bodies", func(s *story) {
			again := s.Sent[2]
			again.Body = []byte(`{"customer_id":"bob"}`)
			s.Sent = append(s.Sent, again)
		}, "G1: " + kept, "two bodies"},
		{"a product is not as it was put", func(s *story) { s.Products[0].Name = "coffee" }, "G1: " + tea, "nobody asked for"},
		{"a product was never published", func(s *story) { s.lose("ProductUpdated", tea) }, "G1: " + tea, "not published"},
		{"a restock was lost", func(s *story) {
			s.send("POST", "/v1/products/"+tea+"/restocks", "r2", map[string]any{"quantity": 5}, 200, "")
		}, "G1: " + tea, "10 came in, and 15 were asked for"},
		{"the outbox is not empty", func(s *story) {
			s.database("payment", func(d *Database) { d.Outbox = 2 })
		}, "G1: ", "2 rows wait in the outbox of payment"},

		{"one id has two contents", func(s *story) {
			r := s.Log[1]
			r.Value = []byte("other")
			s.append(r)
			s.partitions()
		}, "G2: " + kept, "says something else"},
		{"an id does not follow from its cause", func(s *story) { s.Log[1].Event.ID = event.NewID() },
			"G2: " + kept, "does not follow from its cause"},
		{"an event happened twice by one cause", func(s *story) {
			placed := s.fact("OrderPlaced", kept)
			s.publish("inventory.events", kept, placed.Event.ID, 1, &schemas.StockReserved{OrderID: kept, Lines: stockLines()})
			s.partitions()
		}, "G2: " + kept, "led to StockReserved twice"},
		{"an event happened twice by two causes", func(s *story) {
			s.publish("payment.events", kept, call(kept, 9), 0, &schemas.PaymentCaptured{OrderID: kept, Amount: total, Currency: "EUR"})
			s.partitions()
		}, "G2: " + kept, "PaymentCaptured happened twice"},
		{"an answer was recorded twice", func(s *story) {
			s.record(kept, "StockReserved", s.fact("StockReserved", kept).Event.ID)
		}, "G2: " + kept, "has StockReserved twice"},
		{"an answer has no cause", func(s *story) { s.Histories[kept][1].CausationID = event.NewID() },
			"G2: " + kept, "no such event on Kafka"},
		{"an answer was not recorded", func(s *story) { s.Histories[kept] = s.Histories[kept][:5] },
			"G2: " + kept, "is not in its history"},
		{"a version is missing in a history", func(s *story) { s.Histories[kept][3].Version = 9 },
			"G2: " + kept, "has version 9"},
		{"stock was moved twice", func(s *story) {
			s.move(kept, "reserved", bought, s.fact("StockReserved", kept).Event.ID)
		}, "G2: " + kept, "tea was reserved twice"},
		{"stock was moved without an event", func(s *story) {
			s.database("inventory", func(d *Database) { d.Movements[1].EventID = "x" })
		}, "G2: " + kept, "which is not on Kafka"},
		{"an event moved no stock", func(s *story) {
			s.database("inventory", func(d *Database) { d.Movements = slices.Delete(d.Movements, 1, 2) })
		}, "G2: " + kept, "moved 0"},
		{"money was booked twice", func(s *story) { s.Ledger = append(s.Ledger, s.Ledger[:2]...) },
			"G2: " + kept, "4 lines in the ledger"},
		{"money was booked without an event", func(s *story) { s.Ledger[0].EventID = "x" }, "G2: " + kept, "which is not on Kafka"},
		{"the gateway captured twice", func(s *story) {
			s.operate(kept, client.Operation{Operation: "capture", Key: "other", After: intent(kept, total, total, 0)})
		}, "G2: " + kept, "did capture twice"},
		{"the gateway was asked under two keys, and refused", func(s *story) {
			s.operate(kept, client.Operation{Operation: "capture", Key: "other", Code: "already_captured",
				After: intent(kept, total, total, 0)})
		}, "G2: " + kept, "asked to capture under the keys"},
		{"a mail went out twice", func(s *story) { s.Mails = append(s.Mails, s.Mails[0]) }, "G2: " + kept, "went out twice"},
		{"a repeated mail was another", func(s *story) {
			again := s.Mails[0]
			again.Subject = "other"
			s.Lost, s.Mails = true, append(s.Mails, again)
		}, "G2: " + kept, "was another"},
		{"a mail went out under another id", func(s *story) {
			again := s.Mails[0]
			again.MessageID = "other"
			s.Lost, s.Mails = true, append(s.Mails, again)
		}, "G2: " + kept, "knows of none"},
		{"a mail has not arrived", func(s *story) { s.Mails = s.Mails[1:] }, "G2: " + kept, "has not arrived"},
		{"a mail was not published", func(s *story) { s.lose("NotificationSent", kept) }, "G2: " + kept, "0 times on Kafka"},

		{"events of a key appear in the wrong order", func(s *story) {
			s.swap(s.fact("OrderPlaced", kept), s.fact("OrderConfirmed", kept))
		}, "G3: " + kept, "has the sequence 1, after OrderConfirmed with 4"},
		{"events of a key are in two partitions", func(s *story) { s.change("OrderConfirmed", kept, func(r *Record) { r.Partition = 1 }) },
			"G3: " + kept, "in the partitions 0 and 1"},
		{"time runs back", func(s *story) {
			s.change("OrderConfirmed", kept, func(r *Record) { r.Event.Time = r.Event.Time.AddDate(-1, 0, 0) })
		}, "G3: " + kept, "is earlier than"},
		{"a service handled events in the wrong order", func(s *story) {
			placed, confirmed := s.fact("OrderPlaced", kept), s.fact("OrderConfirmed", kept)
			s.change("StockReserved", kept, func(r *Record) { r.Event.Cause.ID = confirmed.Event.ID })
			s.change("StockCommitted", kept, func(r *Record) { r.Event.Cause.ID = placed.Event.ID })
		}, "G3: " + kept, "inventory handled OrderPlaced"},
		{"a service handled events that lead to nothing in the wrong order", func(s *story) {
			a, b := s.row("notification", "OrderPlaced", kept), s.row("notification", "OrderConfirmed", kept)
			a.Handled, b.Handled = b.Handled, a.Handled
		}, "G3: " + kept, "notification handled OrderConfirmed"},
		{"a service wrote in the wrong order, whatever its clock says", func(s *story) {
			s.Skew = time.Hour
			a, b := s.row("payment", "OrderPlaced", kept), s.row("payment", "OrderConfirmed", kept)
			*a, *b = *b, *a
		}, "G3: " + kept, "payment wrote that it handled OrderConfirmed"},
		{"a later event passed one that was parked", func(s *story) {
			row := s.row("notification", "OrderPlaced", kept)
			row.Attempts, row.Handled = 3, row.Handled.Add(time.Hour)
		}, "G3: " + kept, "notification handled OrderConfirmed"},
		{"a later event passed one that is parked", func(s *story) {
			s.row("notification", "OrderPlaced", kept).State = stateParked
		}, "G3: " + kept, "before it is parked"},
		{"a later event passed a bad record", func(s *story) {
			s.spoil(kept)
			s.publish("order.events", kept, event.Derive("test", "late", 0), 0,
				&schemas.OrderCancelled{OrderID: kept})
		}, "G3: " + kept, "before it is dead"},
		{"a later event passed a bad record under an old id", func(s *story) {
			r := s.spoil(kept)
			s.database("payment", func(d *Database) {
				d.Inbox[slices.IndexFunc(d.Inbox, func(row InboxRow) bool { return row.ID == r.inboxID() })].ID = "alias"
				d.Letters[0].ID = "alias"
			})
			s.publish("order.events", kept, event.Derive("test", "late", 0), 0,
				&schemas.OrderCancelled{OrderID: kept})
		}, "G3: " + kept, "payment handled OrderCancelled"},
		{"order recorded answers in the wrong order", func(s *story) {
			h := s.Histories[kept]
			h[1].CausationID, h[4].CausationID = h[4].CausationID, h[1].CausationID
		}, "G3: " + kept, "order handled StockReserved"},

		{"a level is below zero", func(s *story) { s.Products[0].Available = -1 }, "G4: tea", "-1 are available"},
		{"stock has vanished", func(s *story) { s.Products[0].Available-- }, "G4: tea", "10 came in"},
		{"stock has vanished, as clients see it", func(s *story) { s.Products[0].Available--; s.Databases = nil },
			"G4: tea", "10 came in"},
		{"stock stays reserved for nobody", func(s *story) { s.Products[0].Reserved = 1 }, "G4: tea", "reservations hold 0"},
		{"more is sold than was committed", func(s *story) { s.Products[0].Sold++ }, "G4: tea", "have committed 2"},
		{"a level was below zero for a while", func(s *story) {
			s.database("inventory", func(d *Database) {
				d.Movements = append(slices.Clone(d.Movements[1:]), d.Movements[0])
			})
		}, "G4: tea", "the levels are {Available:-2"},
		{"movements do not add up", func(s *story) {
			s.database("inventory", func(d *Database) { d.Movements[1].Quantity = 1 })
		}, "G4: tea", "its movements add up to"},
		{"something else was reserved than ordered", func(s *story) {
			s.change("StockReserved", kept, func(r *Record) { r.Event.Data = &schemas.StockReserved{} })
		}, "G4: " + kept, "StockReserved of map[]"},
		{"something went back that was never held", func(s *story) { s.lose("StockReserved", declined) },
			"G4: " + declined, "StockReleased of map[tea:2]"},
		{"a reservation is not as published", func(s *story) {
			s.Reservations[kept] = client.Reservation{Status: "released"}
		}, "G4: " + kept, "its reservation is released"},

		{"a confirmed order is not paid", func(s *story) { s.operate(kept, client.Operation{After: intent(kept, total, 0, 0)}) },
			"G5: " + kept, "the gateway keeps 0, not 1000"},
		{"a cancelled order is not paid back", func(s *story) {
			s.operate(returned, client.Operation{After: intent(returned, total, total, 0)})
		}, "G5: " + returned, "the gateway keeps 1000, not 0"},
		{"the sum is wrong", func(s *story) { s.operate(kept, client.Operation{After: intent(kept, total, 0, 0)}) },
			"G5: the gateway keeps", "0 EUR, and 1000 are"},
		{"the gateway was asked for another amount", func(s *story) { s.Orders[0].Total.Amount = 7 },
			"G5: " + kept, "was asked for 1000 EUR"},
		{"the gateway took more than it was asked for", func(s *story) {
			s.operate(kept, client.Operation{After: intent(kept, total, 2*total, 0)})
		}, "G5: " + kept, "took 2000"},
		{"the gateway keeps money of no order", func(s *story) {
			s.operate("x", client.Operation{After: intent("x", total, total, 0)})
		}, "G5: x", "of no order"},
		{"money was taken without a confirmation", func(s *story) { s.lose("OrderConfirmed", kept) },
			"G5: " + kept, "never confirmed"},
		{"payment says something else than the gateway", func(s *story) {
			s.Payments[kept] = client.Payment{Status: "captured", Captured: 1}
		}, "G5: " + kept, "payment has 1 captured"},
		{"the books say something else than the gateway", func(s *story) { s.Ledger = s.Ledger[2:] },
			"G5: " + kept, "the ledger has 0"},
		{"an entry does not balance", func(s *story) { s.Ledger[1].Credit = 1 }, "G5: " + kept, "does not balance: 999"},
		{"a payment is not as published", func(s *story) { s.lose("PaymentCaptured", kept) },
			"G5: " + kept, "its payment is captured"},

		{"a saga has not ended", func(s *story) { s.unend(kept) }, "G6: " + kept, "has not ended"},
		{"a mail has not gone out", func(s *story) { s.Notifications[0].Status = "pending" }, "G6: " + kept, "is pending"},
		{"an order is confirmed without its payment", func(s *story) { s.lose("PaymentAuthorized", kept) },
			"G6: " + kept, "without its stock or its payment"},
		{"a payment is said to be stuck", func(s *story) {
			s.stick(returned)
			s.unrefuse()
		}, "G6: " + returned, "has refused no refund"},
		{"a hold is said to be stuck, and the refund was refused", func(s *story) {
			s.stick(returned)
			p := s.Payments[returned]
			p.Captured = 0
			s.Payments[returned] = p
		}, "G6: " + returned, "has refused no cancel"},
		{"a refund was settled by hand for nothing", func(s *story) {
			s.settle(returned)
			s.unrefuse()
		}, "G6: " + returned, "settled by hand, and the gateway has refused no refund"},
		{"a hold was settled by hand for nothing", func(s *story) {
			s.change("PaymentVoided", declined, func(r *Record) {
				r.Event.Data = &schemas.PaymentVoided{OrderID: declined, SettledByHand: true}
			})
		}, "G6: " + declined, "settled by hand, and the gateway has refused no cancel"},
		{"a letter of what a service itself spoilt", func(s *story) {
			s.change("OrderPlaced", kept, func(r *Record) { r.Fault = event.ErrHeaders })
			s.row("inventory", "OrderPlaced", kept).State = stateDead
		}, "G6: " + kept, "which nobody spoilt"},
		{"a sound event is dead", func(s *story) {
			s.database("inventory", func(d *Database) { d.Inbox[0].State = stateDead })
		}, "G6: " + kept, "which nobody spoilt"},

		{"a partition was not read to its end", func(s *story) { s.partition("order.events").Committed["payment"]-- },
			"G7: ", "payment has committed the offset"},
		{"a group is ahead of the log", func(s *story) { s.partition("order.events").Committed["payment"]++ },
			"G7: ", "payment has committed the offset"},
		{"a partition was not read at all", func(s *story) { delete(s.partition("order.events").Committed, "payment") },
			"G7: ", "payment has read nothing"},
		{"an event was dropped", func(s *story) {
			s.database("notification", func(d *Database) { d.Inbox = d.Inbox[1:] })
		}, "G7: " + kept, "notification has neither handled OrderPlaced"},
		{"the inbox has other bytes", func(s *story) {
			s.database("notification", func(d *Database) { d.Inbox[0].Digest = []byte("x") })
		}, "G7: " + kept, "notification has neither handled OrderPlaced"},
		{"a bad record was dropped", func(s *story) {
			r := s.spoil("nobody")
			s.database("payment", func(d *Database) {
				d.Letters = nil
				d.Inbox = slices.DeleteFunc(d.Inbox, func(row InboxRow) bool { return row.ID == r.inboxID() })
			})
		}, "G7: nobody", "payment has neither handled a record"},

		{"a bad record is discarded by nobody", func(s *story) {
			s.discard(s.spoil("nobody"), "olga")
			s.database("payment", func(d *Database) { d.Rulings[0].Action = client.Redrive })
		}, "G7: nobody", "no operator has done so"},
		{"a bad record is discarded by somebody without a name", func(s *story) { s.discard(s.spoil("nobody"), " ") },
			"G7: nobody", "no operator has done so"},
		{"an open letter is not listed", func(s *story) {
			s.spoil("nobody")
			s.Letters["payment"] = nil
		}, "G7: nobody", "payment does not list its dead letter"},

		{"a bad record has no letter", func(s *story) {
			s.spoil("nobody")
			s.database("payment", func(d *Database) { d.Letters = nil })
		}, "G8: nobody", "payment has no letter with the exact bytes"},
		{"a letter has other bytes", func(s *story) {
			s.spoil("nobody")
			s.database("payment", func(d *Database) { d.Letters[0].Value = []byte("rubbis") })
		}, "G8: nobody", "payment has no letter with the exact bytes"},
		{"a letter has other headers", func(s *story) {
			s.spoil("nobody")
			s.database("payment", func(d *Database) { d.Letters[0].Headers = "[]" })
		}, "G8: nobody", "payment has no letter with the exact bytes"},
		{"a bad record is taken for done", func(s *story) {
			r := s.spoil("nobody")
			s.database("payment", func(d *Database) {
				d.Inbox[slices.IndexFunc(d.Inbox, func(row InboxRow) bool { return row.ID == r.inboxID() })].State = "done"
			})
		}, "G8: nobody", "not as dead"},
		{"a record of an unknown schema is tried for ever", func(s *story) { s.wait(s.spoil("nobody"), "unknown_schema") },
			"G8: nobody", "not as dead"},
		{"a bad record waits behind a dead one", func(s *story) {
			s.spoil("nobody")
			s.wait(s.spoil("nobody"), "undecodable")
		}, "G8: nobody", "not as dead"},
		{"a dead letter is not on its topic", func(s *story) {
			s.spoil("nobody")
			s.uncopy("payment")
		}, "G8: nobody", "is not on payment.deadletter"},
		{"a discarded letter is not on its topic", func(s *story) {
			s.discard(s.spoil("nobody"), "olga")
			s.uncopy("payment")
		}, "G8: nobody", "is not on payment.deadletter"},
		{"a copy of a dead letter has other bytes", func(s *story) {
			s.spoil("nobody")
			for n := range s.Log {
				if s.Log[n].Topic == schemas.DeadLetterTopic("payment") {
					s.Log[n].Value = []byte("rubbis")
				}
			}
		}, "G8: nobody", "is not on payment.deadletter"},
		{"a dead letter of a sound event is not on its topic", func(s *story) {
			s.database("payment", func(d *Database) {
				d.Inbox[0].State = stateDead
				d.Letters = append(d.Letters, Letter{Scope: d.Inbox[0].Scope, ID: d.Inbox[0].ID, Class: "refused"})
			})
		}, "G8: ", "is not on payment.deadletter"},
		{"a service published what cannot be read", func(s *story) {
			s.change("NotificationSent", kept, func(r *Record) { r.Fault = event.ErrHeaders })
		}, "G8: " + kept, "cannot be read"},
		{"a service is down", func(s *story) { s.Alive["payment"] = errors.New("connection refused") },
			"G8: payment", "connection refused"},

		{"a list lags behind", func(s *story) { s.Orders[0].Version-- }, "G10: " + kept, "the list shows"},
		{"an order is not the fold of its history", func(s *story) {
			s.Orders[0].Status = "pending"
			s.Shown[kept] = s.Orders[0]
		}, "G10: " + kept, "it is shown as pending"},
		{"a step is not the fold of the history", func(s *story) { s.Orders[0].Steps[0].Status = "reserved" },
			"G10: " + kept, "its stock is shown as reserved"},
		{"the catalogue lags behind", func(s *story) { s.Catalogue[0].Version = 0 }, "G10: tea", "the newest that was published"},
		{"the catalogue lacks a product", func(s *story) { s.Catalogue = []client.Product{} }, "G10: tea", "does not sell it"},
		{"the catalogue has what nobody published", func(s *story) {
			s.Catalogue = append(s.Catalogue, client.Product{SKU: "x"})
		}, "G10: x", "nobody has published it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStory()
			tc.change(s)
			found := Check(s.State)
			if !slices.ContainsFunc(found, func(v Violation) bool {
				return strings.HasPrefix(v.String(), tc.want) && strings.Contains(v.String(), tc.text)
			}) {
				t.Errorf("%s … %s is not among the violations:\n%s", tc.want, tc.text, Report(found, 20))
			}
		})
	}
}

func TestAPlatformIsAtRestOnceNothingGoesOn(t *testing.T) {
	if err := Rest(newStory().State); err != nil {
		t.Errorf("a finished story goes on: %v", err)
	}
	for name, change := range map[string]func(*story){
		"a saga is under way":           func(s *story) { s.unend(kept) },
		"a mail waits":                  func(s *story) { s.Notifications[0].Status = "waiting" },
		"a record waits to be consumed": func(s *story) { s.partition("order.events").End++ },
		"a row waits in an outbox": func(s *story) {
			s.database("order", func(d *Database) { d.Outbox = 1 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory()
			change(s)
			if Rest(s.State) == nil {
				t.Error("nothing is said to go on")
			}
		})
	}
}
