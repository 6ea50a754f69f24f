package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// against are the flags that name this platform to an operator's command.
func (p *platform) against(t *testing.T, args ...string) []string {
	t.Helper()
	text, err := json.Marshal(p.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	return append(args, "--against", string(text))
}

// stuck places an order whose payment the gateway refuses for good to undo.
func (p *platform) stuck(t *testing.T, token string) string {
	t.Helper()
	id := p.place(t, token, line{"tea-001", 1}).ID
	if token == "tok_refund_declined" {
		p.completed(t, id)
		p.cancel(t, id)
	}
	eventually(t, "a stuck payment", func() error {
		payment, err := p.Payment(t.Context(), id)
		if err == nil && !payment.Stuck {
			err = fmt.Errorf("it is %+v", payment)
		}
		return err
	})
	return id
}

func TestAStuckSagaIsSettledByHand(t *testing.T) {
	p := up(t, "--ephemeral", "--set", "QUADRILLE_ORDER_STUCK_AFTER=1ms")
	sound := p.place(t, "tok_visa", line{"tea-001", 1}).ID
	p.completed(t, sound)
	tests := map[string]struct{ missing, account, event, step string }{
		"tok_refund_declined": {"PaymentRefunded", "sales", "PaymentRefunded", "refunded"},
		"tok_cancel_declined": {"PaymentVoided", "settled_by_hand", "PaymentVoided", "voided"},
	}
	ids := make(map[string]string)
	for token, want := range tests {
		ids[token] = p.stuck(t, token)
		eventually(t, "a saga that waits for the payment alone", func() error {
			for _, s := range objects[client.Saga](t, must(t, p.against(t, "sagas", "--older-than", "0s", "--json")...)) {
				if s.OrderID == ids[token] && slices.Equal(s.WaitingFor, []string{want.missing}) && s.Stuck {
					return nil
				}
			}
			return errors.New("not listed")
		})
	}
	if n, err := p.Metric(t.Context(), "order", "quadrille_sagas_stuck", `status="cancelled"`); err != nil || n != 2 {
		t.Errorf("%v are counted as stuck, %v", n, err)
	}
	if said := must(t, p.against(t, "sagas", "--older-than", "0s")...); strings.Count(said, "\n") != 3 ||
		!strings.Contains(said, "PaymentRefunded") {
		t.Errorf("sagas prints\n%s", said)
	}

	for name, refused := range map[string]struct {
		id   string
		code int
		says string
	}{
		"one that is not stuck": {sound, 1, "refused for good"},
		"an unknown one":        {"0199b1a4-0000-7000-8000-00000000000a", 1, "Nothing is known"},
		"no order":              {"tea", 1, "must be a UUID"},
	} {
		got := run(t, p.against(t, "settle", refused.id, "--reason", "why", "--operator", "ada")...)
		if got.code != refused.code || !strings.Contains(got.stderr, refused.says) {
			t.Errorf("%s: exit code %d, said %q", name, got.code, got.stderr)
		}
	}
	nobody := command(t, p.against(t, "settle", sound, "--reason", "why")...)
	nobody.Env = []string{"USER="}
	if out, _ := nobody.CombinedOutput(); nobody.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "--operator") {
		t.Errorf("by nobody: exit code %d, said %q", nobody.ProcessState.ExitCode(), out)
	}

	for token, want := range tests {
		id := ids[token]
		said := must(t, p.against(t, "settle", id, "--reason", "Bank transfer 4711", "--operator", "Ada", "--key", token)...)
		if !strings.Contains(said, want.step+" by hand") {
			t.Errorf("settle says %q", said)
		}
		o := p.completed(t, id)
		if o.Status != "cancelled" || !o.ByHand || o.Steps[1].Status != want.step {
			t.Errorf("G6: settled, the order is %+v", o)
		}
		ledger, err := p.Ledger(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		last := ledger[len(ledger)-2:]
		if last[0].Account != want.account || last[1].Account != "settled_by_hand" || last[0].Debit != last[1].Credit ||
			last[1].Operator != "Ada" || last[1].Reason != "Bank transfer 4711" {
			t.Errorf("G5: the books say %+v", last)
		}
		found := objects[shownEvent](t, must(t, p.events("--order", id, "--type", want.event, "--json")...))
		if len(found) != 1 || found[0].Data["settled_by_hand"] != true {
			t.Errorf("on Kafka there is %+v", found)
		}
	}
	if said := must(t, p.against(t, "sagas", "--older-than", "0s", "--json")...); said != "" {
		t.Errorf("G6: sagas still lists\n%s", said)
	}
}
