package letter_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/notification/internal/letter"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

var update = flag.Bool("update", false, "write the golden files")

const order = "0199b1a4-0000-7000-8000-00000000000a"

func write(t *testing.T, call mail.Call) letter.Letter {
	t.Helper()
	w, err := letter.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Write(call)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLetters(t *testing.T) {
	lines := []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 899}, {SKU: "cup-001", Quantity: 1, UnitPrice: 1_250}}
	cancelled := func(r mail.Reason, detail string) mail.Call {
		return mail.Call{
			OrderID: order, Kind: mail.Cancellation, Lines: lines, Total: 3_048, Currency: "EUR", Reason: r, Detail: detail,
		}
	}
	tests := map[string]mail.Call{
		"confirmation": {OrderID: order, Kind: mail.Confirmation, Lines: lines, Total: 3_048, Currency: "EUR"},
		"confirmation in yen": {
			OrderID: order, Kind: mail.Confirmation, Total: 3_048, Currency: "JPY",
			Lines: []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 1_524}},
		},
		"cancellation out of stock":              cancelled(mail.ReasonOutOfStock, ""),
		"cancellation declined":                  cancelled(mail.ReasonPaymentDeclined, ""),
		"cancellation capture refused":           cancelled(mail.ReasonPaymentFailed, ""),
		"cancellation timed out":                 cancelled(mail.ReasonTimedOut, ""),
		"cancellation by the customer":           cancelled(mail.ReasonCustomerRequest, "Ordered by mistake"),
		"cancellation for an unknown reason":     cancelled(mail.ReasonUnknown, ""),
		"cancellation for a reason of tomorrow":  cancelled("moon_phase", ""),
		"cancellation with a hostile detail":     cancelled(mail.ReasonCustomerRequest, "a\r\n.\r\nSubject: b\u202e\x00c {{.To}}"),
		"refund":                                 {OrderID: order, Kind: mail.Refund, Currency: "EUR", Refunded: 3_048},
		"refund in a currency with three digits": {OrderID: order, Kind: mail.Refund, Currency: "KWD", Refunded: 48},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			got := write(t, call)
			text := "Subject: " + got.Subject + "\n\n" + got.Text
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatOthersWroteStaysOneShortLine puts hostile text wherever a letter repeats text of others.
func TestWhatOthersWroteStaysOneShortLine(t *testing.T) {
	hostile := []string{
		"a\r\nBcc: eve@example.com", "a\n.\nQUIT", "a\u2028b\u0085c", "\x1b[31mred", "abc\u202edef\u2066", "\xff\xfe",
		strings.Repeat("long ", 50_000), strings.Repeat("é", 1_000), "", "\n",
	}
	for _, text := range hostile {
		var lines []mail.Line
		for range 300 {
			lines = append(lines, mail.Line{SKU: text, Quantity: math.MaxInt64, UnitPrice: math.MinInt64})
		}
		for _, kind := range mail.InOrder() {
			plain := write(t, mail.Call{OrderID: order, Kind: kind, Detail: "x", Currency: "EUR", Lines: lines[:0]})
			got := write(t, mail.Call{
				OrderID: order, Kind: kind, Reason: mail.Reason(text), Detail: text + "x", Lines: lines, Currency: "EUR",
			})
			added := 0
			if kind == mail.Confirmation {
				added = 100 + 1
			}
			if a, b := strings.Count(plain.Text, "\n")+added, strings.Count(got.Text, "\n"); a != b {
				t.Errorf("%s with %.20q has %d lines, want %d", kind, text, b, a)
			}
			if len(got.Text) > 40_000 || got.Subject != plain.Subject {
				t.Errorf("%s with %.20q has %d bytes under %q", kind, text, len(got.Text), got.Subject)
			}
			for _, r := range got.Text {
				if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
					t.Errorf("%s with %.20q holds %q", kind, text, r)
				}
			}
		}
	}
}

func TestAmountsHaveTheDigitsOfTheirCurrency(t *testing.T) {
	for want, amount := range map[string]struct {
		units    int64
		currency string
	}{
		"0.05 EUR":                  {5, "EUR"},
		"17.98 EUR":                 {1_798, "EUR"},
		"1798 JPY":                  {1_798, "JPY"},
		"0 JPY":                     {0, "JPY"},
		"1.798 KWD":                 {1_798, "KWD"},
		"0.0005 CLF":                {5, "CLF"},
		"-0.05 EUR":                 {-5, "EUR"},
		"92233720368547758.07 EUR":  {math.MaxInt64, "EUR"},
		"-92233720368547758.08 EUR": {math.MinInt64, "EUR"},
		"-9223372036854775.808 BHD": {math.MinInt64, "BHD"},
		"1.00 XXX":                  {100, "XXX"},
		"-922337203685477.5808 UYW": {math.MinInt64, "UYW"},
		"9223372036854775807 VND":   {math.MaxInt64, "VND"},
		"12345678.90 GBP":           {1_234_567_890, "GBP"},
	} {
		got := write(t, mail.Call{OrderID: "o", Kind: mail.Refund, Refunded: amount.units, Currency: amount.currency})
		if !strings.Contains(got.Text, "given back "+want+" for") {
			t.Errorf("%d %s: %q lacks %q", amount.units, amount.currency, got.Text, want)
		}
	}
}
