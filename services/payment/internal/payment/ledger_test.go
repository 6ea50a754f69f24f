package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

func TestEntries(t *testing.T) {
	stamp := payment.Stamp{OrderID: "o-1", Version: 7, At: at(1)}
	byHand := payment.ByHand{Settlement: payment.Settlement{Operator: "ada", Reason: "by transfer"}, Total: total}
	tests := map[string]struct {
		event payment.Event
		want  []payment.Entry
	}{
		"a hold moves no money":     {payment.Authorized{Stamp: stamp, Amount: total, Currency: "EUR"}, nil},
		"nor does its release":      {payment.Voided{Stamp: stamp, Amount: total, Currency: "EUR"}, nil},
		"nor does a decline":        {payment.Declined{Stamp: stamp}, nil},
		"nor does a failed attempt": {payment.CaptureFailed{Stamp: stamp}, nil},
		"a capture is earned": {
			payment.Captured{Stamp: stamp, Amount: total, Currency: "EUR"},
			[]payment.Entry{{
				OrderID: "o-1", Version: 7, Debit: payment.GatewayClearing, Credit: payment.Sales, Amount: total,
				Currency: "EUR", At: at(1),
			}},
		},
		"a refund by hand reverses it on an account of its own": {
			payment.Refunded{Stamp: stamp, Amount: total, Currency: "EUR", ByHand: byHand},
			[]payment.Entry{{
				OrderID: "o-1", Version: 7, Debit: payment.Sales, Credit: payment.SettledByHand, Amount: total,
				Currency: "EUR", At: at(1), Settlement: byHand.Settlement,
			}},
		},
		"a hold that was seen to by hand is noted": {
			payment.Voided{Stamp: stamp, Currency: "EUR", ByHand: byHand},
			[]payment.Entry{{
				OrderID: "o-1", Version: 7, Debit: payment.SettledByHand, Credit: payment.SettledByHand, Amount: total,
				Currency: "EUR", At: at(1), Settlement: byHand.Settlement,
			}},
		},
		"a refund reverses it": {
			payment.Refunded{Stamp: stamp, Amount: total, Currency: "EUR"},
			[]payment.Entry{{
				OrderID: "o-1", Version: 7, Debit: payment.Sales, Credit: payment.GatewayClearing, Amount: total,
				Currency: "EUR", At: at(1),
			}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := payment.Entries(test.event)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			balance(t, got)
		})
	}
}

func TestLinesNameTheDebitedSideFirst(t *testing.T) {
	entry := payment.Entry{Debit: payment.GatewayClearing, Credit: payment.Sales, Amount: total, Currency: "EUR"}
	want := [2]payment.Line{
		{Account: payment.GatewayClearing, Debit: total, Currency: "EUR"},
		{Account: payment.Sales, Credit: total, Currency: "EUR"},
	}
	if diff := cmp.Diff(want, entry.Lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
