package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

func TestBadRequestsAreRefusedWithoutEchoOrEffect(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenVisa).ID
	intents, capture := "/v1/payment_intents", "/v1/payment_intents/"+id+"/capture"
	tests := map[string]struct {
		method, path, key, body string
		status                  int
	}{
		"no body":             {"POST", intents, "", "", 422},
		"no JSON":             {"POST", intents, "", "{", 422},
		"no object":           {"POST", intents, "", "[]", 422},
		"unknown member":      {"POST", capture, "k", `{"amount":1,"tip":1}`, 422},
		"member twice":        {"POST", capture, "k", `{"amount":1,"amount":2}`, 422},
		"zero":                {"POST", capture, "k", `{"amount":0}`, 422},
		"negative":            {"POST", capture, "k", `{"amount":-1}`, 422},
		"fraction":            {"POST", capture, "k", `{"amount":1.5}`, 422},
		"text for a number":   {"POST", capture, "k", `{"amount":"1"}`, 422},
		"huge":                {"POST", capture, "k", `{"amount":9223372036854775808}`, 422},
		"no amount":           {"POST", capture, "k", `{}`, 422},
		"null amount":         {"POST", capture, "k", `{"amount":null}`, 422},
		"no key":              {"POST", capture, "", `{"amount":1}`, 422},
		"long key":            {"POST", capture, strings.Repeat("k", 256), `{"amount":1}`, 422},
		"large body":          {"POST", capture, "k", `{"amount":1` + strings.Repeat(" ", 1<<20) + `}`, 413},
		"unknown intent":      {"POST", intents + "/pi_x/capture", "k", `{"amount":1}`, 404},
		"unknown intent read": {"GET", intents + "/pi_x", "", "", 404},
		"unknown path":        {"GET", "/v1/refunds", "", "", 404},
		"body with cancel":    {"POST", intents + "/" + id + "/cancel", "k", `{"amount":1}`, 422},
		"find without a name": {"GET", intents, "", "", 422},
		"bad page":            {"GET", "/v1/ledger?after=-1", "", "", 422},
		"page of nothing":     {"GET", "/v1/ledger?limit=0", "", "", 422},
		"page of too much":    {"GET", "/v1/ledger?limit=10001", "", "", 422},
		"currency in lower": {"POST", intents, "",
			`{"reference":"r","amount":1,"currency":"eur","payment_method":"t"}`, 422},
		"reference with break": {"POST", intents, "",
			`{"reference":"r\n","amount":1,"currency":"EUR","payment_method":"t"}`, 422},
		"no card": {"POST", intents, "",
			`{"reference":"r","amount":1,"currency":"EUR","payment_method":""}`, 422},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := c.send(t.Context(), test.method, test.path, test.key, test.body)
			if got.status != test.status {
				t.Errorf("answered %d, want %d: %s", got.status, test.status, got.body)
			}
			for _, leak := range []string{"json:", "Go ", "strconv", "unmarshal", "tip"} {
				if strings.Contains(got.body, leak) {
					t.Errorf("the answer says %q: %s", leak, got.body)
				}
			}
		})
	}
	if got := len(c.ledger()); got != 1 {
		t.Errorf("the ledger holds %d operations, want 1", got)
	}
}

func TestTheLedgerIsReadInPages(t *testing.T) {
	c := open(t, gateway.Config{})
	for n := range 5 {
		c.intent(fmt.Sprint("order-", n), gateway.TokenVisa)
	}
	for path, want := range map[string]string{
		"?limit=2":         `"next":2}`,
		"?after=2&limit=2": `"next":4}`,
		"?after=4&limit=2": `"next":5}`,
		"?after=5":         `{"operations":[],"next":5}`,
		"?after=99":        `{"operations":[],"next":99}`,
	} {
		if got := c.send(t.Context(), "GET", "/v1/ledger"+path, "", "").body; !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s, want an end of %s", path, got, want)
		}
	}
}

func TestAnIntentIsFoundByItsReference(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenVisa).ID
	find := func(reference string) string {
		return c.send(t.Context(), "GET", "/v1/payment_intents?reference="+reference, "", "").body
	}
	if got := find("order"); !strings.Contains(got, id) {
		t.Errorf("found %s", got)
	}
	if got := find("nobody"); got != `{"payment_intents":[]}` {
		t.Errorf("found %s", got)
	}
}
