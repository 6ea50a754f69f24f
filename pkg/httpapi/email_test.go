package httpapi_test

import (
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

func TestEmail(t *testing.T) {
	for address, want := range map[string]bool{
		"ada@example.com":                        true,
		"ada.l+orders@mail.example.co.uk":        true,
		"o'neil_1@xn--bcher-kva.example":         true,
		strings.Repeat("a", 64) + "@example.com": true,
		strings.Repeat("a", 65) + "@example.com": false,
		"a@" + strings.Repeat("b", 64) + ".com":  false,
		"":                                       false,
		"ada":                                    false,
		"@example.com":                           false,
		"ada@":                                   false,
		"ada@localhost":                          false,
		"ada@-example.com":                       false,
		"ada@exam_ple.com":                       false,
		"ada@example..com":                       false,
		"ada@example.com.":                       false,
		"ada@[127.0.0.1]":                        false,
		".ada@example.com":                       false,
		"a..da@example.com":                      false,
		"ada@a@example.com":                      false,
		`"a da"@example.com`:                     false,
		"Ada <ada@example.com>":                  false,
		"<ada@example.com>":                      false,
		"ada@example.com, bob@example.com":       false,
		"ada(x)@example.com":                     false,
		"ada@example.com\r\nBcc: b@example.com":  false,
		"ada@example.com\n":                      false,
		" ada@example.com":                       false,
		"ada\x00@example.com":                    false,
		"\u00e4da@example.com":                   false,
		"ada@" + strings.Repeat("b.", 125) + "c": false,
	} {
		if got := httpapi.Email(address); got != want {
			t.Errorf("%q: got %v", address, got)
		}
	}
}

func TestCurrency(t *testing.T) {
	for code, want := range map[string]bool{
		"EUR": true, "AED": true, "ZWG": true, "eur": false, "XXX": false, "DEM": false, "": false, " EU": false,
		"EU": false, "EURO": false, "R U": false, "XAU": false,
	} {
		if got := httpapi.Currency(code); got != want {
			t.Errorf("%q: got %v", code, got)
		}
	}
}
