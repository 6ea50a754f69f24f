package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// Line of the ledger. The lines of one order and version balance.
type Line struct {
	OrderID  string               `json:"order_id" format:"uuid"`
	Version  int64                `json:"version" doc:"Of the payment, after the event that was booked"`
	Line     int64                `json:"line" doc:"From 1"`
	Account  payment.Account      `json:"account" enum:"gateway_clearing,sales,settled_by_hand"`
	Debit    int64                `json:"debit" doc:"Minor units; exactly one of debit and credit is not 0"`
	Credit   int64                `json:"credit" doc:"Minor units"`
	Currency httpapi.CurrencyCode `json:"currency"`
	EventID  string               `json:"event_id" format:"uuid" doc:"The event that was booked"`
	BookedAt time.Time            `json:"booked_at"`
	Operator string               `json:"operator,omitempty" doc:"Who settled it by hand"`
	Reason   string               `json:"reason,omitempty" doc:"Why, in the operator's words"`
}

func lineOf(l store.Line) Line {
	return Line{
		OrderID: l.OrderID, Version: l.Version, Line: l.Number, Account: l.Account, Debit: l.Debit, Credit: l.Credit,
		Currency: httpapi.CurrencyCode(l.Currency), EventID: l.EventID, BookedAt: l.BookedAt,
		Operator: l.Settlement.Operator, Reason: l.Settlement.Reason,
	}
}

type listLedger struct {
	httpapi.Page
	OrderID string `query:"order_id" format:"uuid" doc:"Only the lines of this order"`
}

type ledgerList struct{ Body httpapi.List[Line] }

func (a *API) listLedger(ctx context.Context, in *listLedger) (*ledgerList, error) {
	var after store.Position
	if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := store.Ledger(ctx, a.parts.DB, in.OrderID, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	items := make([]Line, len(found))
	for i, l := range found {
		items[i] = lineOf(l)
	}
	list, err := httpapi.NewList(items, in.Limit, func(l Line) store.Position {
		return store.Position{BookedAt: l.BookedAt, OrderID: l.OrderID, Version: l.Version, Number: l.Line}
	})
	return &ledgerList{list}, err
}
