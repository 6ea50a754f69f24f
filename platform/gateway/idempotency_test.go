package gateway_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

func TestEqualRequestsInFlightHaveOneEffect(t *testing.T) {
	c := open(t, gateway.Config{Data: t.TempDir(), Slow: time.Millisecond})
	const callers = 32
	ids := make([]string, callers)
	bodies := make([][]string, callers)
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			ids[n] = c.open("order", 1000, "EUR", gateway.TokenSlow).intent.ID
			bodies[n] = []string{c.authorize(ids[n], "a").body, c.capture(ids[n], "c", 700).body,
				c.refund(ids[n], "r", 200).body}
		})
	}
	wg.Wait()

	for n := range callers {
		if ids[n] != ids[0] {
			t.Errorf("caller %d got the intent %s, caller 0 %s", n, ids[n], ids[0])
		}
		if diff := cmp.Diff(bodies[0], bodies[n]); diff != "" {
			t.Errorf("answers of callers 0 and %d differ:\n%s", n, diff)
		}
	}
	var kinds []gateway.Kind
	for _, operation := range c.ledger() {
		kinds = append(kinds, operation.Kind)
	}
	want := []gateway.Kind{gateway.KindOpen, gateway.KindAuthorize, gateway.KindCapture, gateway.KindRefund}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestANameIsNotLentToAnotherRequest(t *testing.T) {
	c := open(t, gateway.Config{})
	id, other := c.intent("order", gateway.TokenVisa).ID, c.intent("other", gateway.TokenVisa).ID
	c.authorize(id, "a")
	c.capture(id, "c", 500)

	for name, test := range map[string]struct {
		got  answer
		want gateway.Code
	}{
		"another amount":             {c.open("order", 999, "EUR", gateway.TokenVisa), gateway.CodeReferenceReused},
		"another currency":           {c.open("order", 1000, "USD", gateway.TokenVisa), gateway.CodeReferenceReused},
		"another card":               {c.open("order", 1000, "EUR", "tok_x"), gateway.CodeReferenceReused},
		"key with another operation": {c.cancel(id, "a"), gateway.CodeKeyReused},
		"key with another intent":    {c.authorize(other, "a"), gateway.CodeKeyReused},
		"key with another amount":    {c.capture(id, "c", 501), gateway.CodeKeyReused},
	} {
		if test.got.status != http.StatusConflict || test.got.code != test.want {
			t.Errorf("%s: answered %d %q, want 409 %q", name, test.got.status, test.got.code, test.want)
		}
	}
	if got := c.get(other).intent.Status; got != gateway.StatusRequiresAuthorization {
		t.Errorf("the other intent is %q", got)
	}
	if got := c.open("order", 1000, "EUR", gateway.TokenVisa); got.status != http.StatusOK || got.intent.ID != id {
		t.Errorf("the same details again answered %d: %s", got.status, got.body)
	}
}

func TestARestartKeepsTheLedgerAndItsAnswers(t *testing.T) {
	data := t.TempDir()
	before := open(t, gateway.Config{Data: data})
	paid, refused := before.intent("paid", gateway.TokenVisa).ID, before.intent("refused", gateway.TokenDeclined).ID
	ask := func(c caller) []string {
		return []string{c.authorize(paid, "a1").body, c.capture(paid, "c1", 900).body, c.cancel(paid, "x1").body,
			c.authorize(refused, "a2").body, c.capture(refused, "c2", 1).body, c.get(paid).body}
	}
	answers, ledger := ask(before), before.ledger()
	if err := before.gateway.Close(); err != nil {
		t.Fatal(err)
	}

	after := open(t, gateway.Config{Data: data})
	if diff := cmp.Diff(ledger, after.ledger()); diff != "" {
		t.Errorf("ledger after the restart (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(answers, ask(after)); diff != "" {
		t.Errorf("answers after the restart (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(ledger, after.ledger()); diff != "" {
		t.Errorf("repeated requests wrote to the ledger (-before +after):\n%s", diff)
	}
}
