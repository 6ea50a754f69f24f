package gateway_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

func TestAPurchaseIsAuthorizedCapturedAndRefunded(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order-1", gateway.TokenVisa).ID

	steps := []struct {
		name string
		got  answer
		want gateway.Intent
	}{
		{"authorize", c.authorize(id, "a"), gateway.Intent{Status: gateway.StatusAuthorized, Authorized: 1000}},
		{"capture a part", c.capture(id, "c", 900),
			gateway.Intent{Status: gateway.StatusCaptured, Authorized: 1000, Captured: 900}},
		{"refund a part", c.refund(id, "r1", 400),
			gateway.Intent{Status: gateway.StatusCaptured, Authorized: 1000, Captured: 900, Refunded: 400}},
		{"refund the rest", c.refund(id, "r2", 500),
			gateway.Intent{Status: gateway.StatusRefunded, Authorized: 1000, Captured: 900, Refunded: 900}},
	}
	for _, step := range steps {
		if step.got.status != http.StatusOK {
			t.Fatalf("%s answered %d: %s", step.name, step.got.status, step.got.body)
		}
		got := step.got.intent
		if got.Status != step.want.Status || got.Authorized != step.want.Authorized ||
			got.Captured != step.want.Captured || got.Refunded != step.want.Refunded {
			t.Errorf("after %s: %+v, want %+v", step.name, got, step.want)
		}
	}
}

func TestEachTokenBehavesAsDocumented(t *testing.T) {
	const ok = http.StatusOK
	tests := []struct {
		token                       gateway.Token
		authorize, capture, refund  int
		authorized, captured, taken gateway.Code
		end                         gateway.Status
	}{
		{gateway.TokenVisa, ok, ok, ok, "", "", "", gateway.StatusRefunded},
		{gateway.TokenDeclined, 402, 409, 409,
			"card_declined", "not_authorized", "nothing_to_refund", gateway.StatusDeclined},
		{gateway.TokenInsufficientFunds, 402, 409, 409,
			"insufficient_funds", "not_authorized", "nothing_to_refund", gateway.StatusDeclined},
		{"tok_of_nobody", 402, 409, 409,
			"invalid_payment_method", "not_authorized", "nothing_to_refund", gateway.StatusDeclined},
		{gateway.TokenSlow, ok, ok, ok, "", "", "", gateway.StatusRefunded},
		{gateway.TokenCaptureDeclined, ok, 402, 409,
			"", "capture_declined", "nothing_to_refund", gateway.StatusAuthorized},
		{gateway.TokenRefundDeclined, ok, ok, 402, "", "", "refund_declined", gateway.StatusCaptured},
		{gateway.TokenCancelDeclined, ok, 402, 409,
			"", "capture_declined", "nothing_to_refund", gateway.StatusAuthorized},
	}
	for _, test := range tests {
		t.Run(string(test.token), func(t *testing.T) {
			c := open(t, gateway.Config{Slow: time.Millisecond})
			id := c.intent("order", test.token).ID
			for _, step := range []struct {
				name   string
				got    answer
				status int
				code   gateway.Code
			}{
				{"authorize", c.authorize(id, "a"), test.authorize, test.authorized},
				{"capture", c.capture(id, "c", 1000), test.capture, test.captured},
				{"refund", c.refund(id, "r", 1000), test.refund, test.taken},
			} {
				if step.got.status != step.status || step.got.code != step.code {
					t.Errorf("%s answered %d %q, want %d %q",
						step.name, step.got.status, step.got.code, step.status, step.code)
				}
				if step.got.intent.ID != id {
					t.Errorf("%s answered without the intent: %s", step.name, step.got.body)
				}
			}
			if got := c.get(id).intent.Status; got != test.end {
				t.Errorf("status at the end: %q, want %q", got, test.end)
			}
		})
	}
}

func TestAFlakyCardFailsTwiceUnderOneKeyAndThenSucceeds(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenFlaky).ID

	for attempt := range 4 {
		want := http.StatusOK
		if attempt < 2 {
			want = http.StatusServiceUnavailable
		}
		if got := c.authorize(id, "a"); got.status != want {
			t.Errorf("attempt %d answered %d, want %d", attempt+1, got.status, want)
		}
	}
	if got := len(c.ledger()); got != 2 {
		t.Errorf("the ledger holds %d operations, want 2: open and authorize", got)
	}
	if got := c.attempts(id); got != (gateway.Attempts{Unavailable: 2}) {
		t.Errorf("attempts %+v, want two that were unavailable", got)
	}
	if got := c.send(t.Context(), http.MethodGet, "/v1/payment_intents/none/attempts", "", ""); got.status != http.StatusNotFound {
		t.Errorf("attempts of no intent answered %d", got.status)
	}
}

func TestAHoldThatIsNotLetGoOf(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenCancelDeclined).ID
	c.authorize(id, "a")
	for range 2 { // the answer is kept
		if got := c.cancel(id, "x"); got.status != http.StatusPaymentRequired || got.code != gateway.CodeCancelDeclined {
			t.Errorf("cancel answered %d %q", got.status, got.code)
		}
	}
	if got := c.get(id).intent.Status; got != gateway.StatusAuthorized {
		t.Errorf("status %q, want authorized", got)
	}
}

func TestASlowAuthorizationTakesItsTimeAndOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, gateway.Config{})
		id := c.intent("order", gateway.TokenSlow).ID
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		began := time.Now()

		c.send(ctx, http.MethodPost, "/v1/payment_intents/"+id+"/authorize", "a", "")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %v, want 2 s", took)
		}
		if got := c.get(id).intent.Status; got != gateway.StatusAuthorized {
			t.Errorf("status %q, want authorized", got)
		}
		c.authorize(id, "a")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the kept answer was slow too: %v", took)
		}
	})
}

func TestATimeoutTokenNeverAnswersAuthorizeButCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, gateway.Config{})
		id := c.intent("order", gateway.TokenTimeout).ID
		ctx, leave := context.WithTimeout(t.Context(), time.Hour)
		defer leave()
		began := time.Now()

		got := c.send(ctx, http.MethodPost, "/v1/payment_intents/"+id+"/authorize", "a", "")
		if took := time.Since(began); took != time.Hour || got.body != "" {
			t.Errorf("authorize answered %q after %v, want nothing while the caller waits", got.body, took)
		}
		if got := c.get(id).intent.Status; got != gateway.StatusRequiresAuthorization {
			t.Errorf("status %q, want no change", got)
		}
		if got := c.attempts(id); got != (gateway.Attempts{Unanswered: 1}) {
			t.Errorf("attempts %+v, want one that was not answered", got)
		}
		if got := c.cancel(id, "x"); got.status != http.StatusOK || got.intent.Status != gateway.StatusCanceled {
			t.Errorf("cancel answered %d: %s", got.status, got.body)
		}
	})
}

func TestCloseReleasesThoseWhoWait(t *testing.T) {
	for _, token := range []gateway.Token{gateway.TokenTimeout, gateway.TokenSlow} {
		t.Run(string(token), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := open(t, gateway.Config{Slow: time.Hour})
				id := c.intent("order", token).ID
				released := make(chan answer)
				go func() { released <- c.authorize(id, "a") }()
				synctest.Wait()
				if err := c.gateway.Close(); err != nil {
					t.Fatal(err)
				}
				if got := <-released; got.status != http.StatusServiceUnavailable {
					t.Errorf("answered %d, want 503", got.status)
				}
			})
		})
	}
}

func TestCancelIsAFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, gateway.Config{})
		id := c.intent("order", gateway.TokenSlow).ID
		late := make(chan answer)
		go func() { late <- c.authorize(id, "a") }()
		synctest.Wait() // the authorization is on its way

		if got := c.cancel(id, "x"); got.status != http.StatusOK {
			t.Fatalf("cancel answered %d: %s", got.status, got.body)
		}
		canceled := c.get(id).body
		for name, got := range map[string]answer{
			"late authorization":    <-late,
			"new authorization":     c.authorize(id, "b"),
			"repeated late one":     c.authorize(id, "a"),
			"capture":               c.capture(id, "c", 1),
			"capture under its key": c.capture(id, "c", 1),
		} {
			if got.status != http.StatusConflict || got.code != gateway.CodeIntentCanceled {
				t.Errorf("%s answered %d %q, want 409 intent_canceled", name, got.status, got.code)
			}
		}
		if got := c.cancel(id, "y"); got.status != http.StatusOK {
			t.Errorf("cancelling again answered %d", got.status)
		}
		if diff := cmp.Diff(canceled, c.get(id).body); diff != "" {
			t.Errorf("the canceled intent changed (-before +after):\n%s", diff)
		}
	})
}

func TestCancelRefusesWhatIsCaptured(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenVisa).ID
	c.authorize(id, "a")
	c.capture(id, "c", 1000)

	got := c.cancel(id, "x")
	if got.code != gateway.CodeAlreadyCaptured || got.intent.Captured != 1000 {
		t.Errorf("cancel answered %d: %s", got.status, got.body)
	}
	if got := c.refund(id, "r", 1000); got.intent.Status != gateway.StatusRefunded {
		t.Errorf("refund answered %d: %s", got.status, got.body)
	}
}

func TestCancelAcknowledgesADeclinedIntent(t *testing.T) {
	c := open(t, gateway.Config{})
	id := c.intent("order", gateway.TokenDeclined).ID
	c.authorize(id, "a")
	if got := c.cancel(id, "x"); got.status != http.StatusOK || got.intent.Status != gateway.StatusDeclined {
		t.Errorf("cancel answered %d: %s", got.status, got.body)
	}
	if got := c.authorize(id, "b"); got.code != gateway.CodeCardDeclined {
		t.Errorf("authorize afterwards answered %d %q", got.status, got.code)
	}
}

func TestAnAuthorizationExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, gateway.Config{AuthorizationTTL: time.Hour})
		early, late := c.intent("early", gateway.TokenVisa).ID, c.intent("late", gateway.TokenVisa).ID
		c.authorize(early, "a1")
		c.authorize(late, "a2")

		time.Sleep(time.Hour - time.Microsecond)
		if got := c.capture(early, "c1", 1000); got.status != http.StatusOK {
			t.Errorf("before the hour: %d %q", got.status, got.code)
		}
		time.Sleep(time.Microsecond)
		if got := c.capture(late, "c2", 1000); got.code != gateway.CodeAuthorizationExpired {
			t.Errorf("after the hour: %d %q", got.status, got.code)
		}
		if got := c.cancel(late, "x"); got.status != http.StatusOK {
			t.Errorf("cancelling the expired one: %d %q", got.status, got.code)
		}
	})
}

func TestRunAnswersUntilItsContextEnds(t *testing.T) {
	addr := freePort(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx, gateway.Config{Addr: addr, Data: t.TempDir()}) }()

	for {
		response, err := http.Get("http://" + addr + "/healthz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusNoContent {
				t.Errorf("healthz answered %d", response.StatusCode)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("Run ended: %v", err)
		default: // not listening yet
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if response, err := http.Get("http://" + addr + "/healthz"); err == nil {
		response.Body.Close()
		t.Error("it still answers")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
