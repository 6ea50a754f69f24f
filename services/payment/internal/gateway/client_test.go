package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	platform "github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

const total = 4_200

func call(o payment.Operation, method platform.Token) payment.Call {
	return payment.Call{OrderID: "o-1", Operation: o, Amount: total, Currency: "EUR", Method: string(method)}
}

func answer(o payment.Operation, refusal payment.Refusal, authorized, captured, refunded int64) payment.Answer {
	return payment.Answer{
		OrderID: "o-1", Operation: o, Refusal: refusal,
		Intent: payment.Intent{ID: "pi", Authorized: authorized, Captured: captured, Refunded: refunded},
	}
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func dial(t *testing.T, cfg gateway.Config) *gateway.Client {
	t.Helper()
	client, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TestPerform makes the calls of each course of a purchase at the real gateway, each of them twice, the second time
// with the id of the intent: the answer is the same.
func TestPerform(t *testing.T) {
	authorized := answer(payment.Authorize, "", total, 0, 0)
	tests := map[string]struct {
		method platform.Token
		want   []payment.Answer
	}{
		"paid and given back": {platform.TokenVisa, []payment.Answer{
			authorized,
			answer(payment.Capture, "", total, total, 0),
			answer(payment.Cancel, payment.RefusedAlreadyCaptured, total, total, 0),
			answer(payment.Refund, "", total, total, total),
		}},
		"cancelled: what was held is still told": {platform.TokenVisa, []payment.Answer{
			authorized,
			answer(payment.Cancel, "", total, 0, 0),
			answer(payment.Capture, payment.RefusedIntentCanceled, total, 0, 0),
		}},
		"the fence comes first": {platform.TokenVisa, []payment.Answer{
			answer(payment.Cancel, "", 0, 0, 0),
			answer(payment.Authorize, payment.RefusedIntentCanceled, 0, 0, 0),
		}},
		"declined": {platform.TokenDeclined, []payment.Answer{
			answer(payment.Authorize, payment.RefusedCardDeclined, 0, 0, 0),
			answer(payment.Cancel, "", 0, 0, 0),
		}},
		"insufficient funds": {platform.TokenInsufficientFunds, []payment.Answer{
			answer(payment.Authorize, payment.RefusedInsufficientFunds, 0, 0, 0),
		}},
		"unknown method": {"tok_of_another_gateway", []payment.Answer{
			answer(payment.Authorize, payment.RefusedInvalidPaymentMethod, 0, 0, 0),
		}},
		"capture declined": {platform.TokenCaptureDeclined, []payment.Answer{
			authorized,
			answer(payment.Capture, payment.RefusedCaptureDeclined, total, 0, 0),
		}},
		"refund declined": {platform.TokenRefundDeclined, []payment.Answer{
			authorized,
			answer(payment.Capture, "", total, total, 0),
			answer(payment.Refund, payment.RefusedRefundDeclined, total, total, 0),
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			real, err := platform.Open(platform.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer real.Close()
			client := dial(t, gateway.Config{URL: serve(t, real) + "/"})
			for _, want := range test.want {
				intent := ""
				for range 2 {
					got, err := client.Perform(t.Context(), call(want.Operation, test.method), intent)
					if err != nil {
						t.Fatal(err)
					}
					intent = got.Intent.ID
					if !strings.HasPrefix(intent, "pi_") {
						t.Fatalf("the intent has the id %q", intent)
					}
					got.Intent.ID = "pi"
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%s (-want +got):\n%s", want.Operation, diff)
					}
				}
			}
		})
	}
}

// TestFlakyGatewayAnswersInTheEnd: what fails soon is made again within the call, under the same key.
func TestFlakyGatewayAnswersInTheEnd(t *testing.T) {
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	client := dial(t, gateway.Config{URL: serve(t, real)})
	got, err := client.Perform(t.Context(), call(payment.Authorize, platform.TokenFlaky), "")
	if err != nil || got.Intent.Authorized != total {
		t.Errorf("answered with %+v, %v", got, err)
	}
}

// TestRequestsAreRepeatedWhileThereIsTime counts the requests of one call, whose intent is known.
func TestRequestsAreRepeatedWhileThereIsTime(t *testing.T) {
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		timeout time.Duration
		want    int32
	}{
		"it fails at once":      {status(503), time.Minute, 3},
		"the connection breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, time.Minute, 3},
		"it has had too many":   {status(429), time.Minute, 3},
		"it fails, and there is no time": {func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(600 * time.Millisecond) // a quarter of the timeout is over
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 2 * time.Second, 1},
		"it answers, though nothing good": {status(404), time.Minute, 1},
		"it does not answer": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var made atomic.Int32
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				made.Add(1)
				test.answer(w, r)
			}))
			client := dial(t, gateway.Config{URL: url, Timeout: test.timeout})
			_, err := client.Perform(t.Context(), call(payment.Capture, platform.TokenVisa), "pi_1")
			if n := made.Load(); n != test.want || !errors.Is(err, gateway.ErrUnknown) {
				t.Errorf("%d requests, want %d; error %v", n, test.want, err)
			}
		})
	}
}

// TestEachRequestHasItsOwnTimeout: an open that is slow takes none from the operation.
func TestEachRequestHasItsOwnTimeout(t *testing.T) {
	const timeout, slow = 3 * time.Second, 1600 * time.Millisecond
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	client := dial(t, gateway.Config{Timeout: timeout, URL: serve(t, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			<-time.After(slow)
			real.ServeHTTP(w, r)
		}))})
	began := time.Now()
	got, err := client.Perform(t.Context(), call(payment.Authorize, platform.TokenVisa), "")
	if err != nil || got.Intent.Authorized != total {
		t.Errorf("answered with %+v, %v", got, err)
	}
	if took, most := time.Since(began), gateway.CallTime(timeout); took < timeout || took > most {
		t.Errorf("it took %s, want more than %s and at most %s", took, timeout, most)
	}
}

// TestAnErrorTellsWhetherTheGatewayIsAway: it is not if one card got no answer, or if it refuses what we send.
func TestAnErrorTellsWhetherTheGatewayIsAway(t *testing.T) {
	fail := func(operation string, fail http.HandlerFunc) string {
		real, err := platform.Open(platform.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = real.Close() })
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, operation) {
				fail(w, r)
				return
			}
			real.ServeHTTP(w, r)
		}))
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	silence := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	for name, test := range map[string]struct {
		url, intent  string
		silent, want bool
	}{
		"nobody listens":                      {"http://127.0.0.1:1", "", false, true},
		"it fails to open":                    {fail("intents", status(500)), "", false, true},
		"it does not answer to open":          {fail("intents", silence), "", true, true},
		"it refuses what we open":             {fail("intents", status(422)), "", false, false},
		"it fails after an open":              {fail("authorize", status(503)), "", false, false},
		"it does not answer after an open":    {fail("authorize", silence), "", true, false},
		"it fails, the intent was known":      {fail("authorize", status(503)), "pi_1", false, true},
		"it has no time, and intent is known": {fail("authorize", silence), "pi_1", true, true},
		"it knows no such intent":             {fail("authorize", status(404)), "pi_1", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := 10 * time.Second
			if test.silent {
				timeout = time.Second
			}
			client := dial(t, gateway.Config{URL: test.url, Timeout: timeout})
			_, err := client.Perform(t.Context(), call(payment.Authorize, platform.TokenVisa), test.intent)
			if !errors.Is(err, gateway.ErrUnknown) || errors.Is(err, gateway.ErrAway) != test.want {
				t.Errorf("error %v, away = %t, want %t", err, !test.want, test.want)
			}
		})
	}
}

// TestIntentIsOpenedOnce counts requests: a known intent spares one.
func TestIntentIsOpenedOnce(t *testing.T) {
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	var requests []string
	client := dial(t, gateway.Config{URL: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.URL.Path+" "+r.Header.Get("Idempotency-Key"))
		real.ServeHTTP(w, r)
	}))})
	held, err := client.Perform(t.Context(), call(payment.Authorize, platform.TokenVisa), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Perform(t.Context(), call(payment.Capture, platform.TokenVisa), held.Intent.ID); err != nil {
		t.Fatal(err)
	}
	intents := "/v1/payment_intents"
	want := []string{
		intents + " ", intents + "/" + held.Intent.ID + "/authorize o-1/authorize",
		intents + "/" + held.Intent.ID + "/capture o-1/capture",
	}
	if diff := cmp.Diff(want, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestMethodThatCannotBeSentIsRefused(t *testing.T) {
	client := dial(t, gateway.Config{URL: serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the gateway was asked")
	}))})
	for _, method := range []string{"", "my card", "tök", "tok\n", strings.Repeat("x", 256)} {
		for _, o := range []payment.Operation{payment.Authorize, payment.Cancel} {
			got, err := client.Perform(t.Context(), call(o, platform.Token(method)), "")
			want := payment.Answer{OrderID: "o-1", Operation: o, Refusal: payment.RefusedInvalidPaymentMethod}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%q: %v (-want +got):\n%s", method, err, diff)
			}
		}
	}
}

// TestNoFinalAnswer answers in every way from which nothing can be learnt. Each is an error that says so, none is an
// answer, and none tells the payment token.
func TestNoFinalAnswer(t *testing.T) {
	const ours = `{"id":"pi_1","reference":"o-1","amount":4200,"currency":"EUR","authorized":4200}`
	reply := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]http.HandlerFunc{
		"internal error":          reply(500, `{"code":"card_declined"}`),
		"unavailable":             reply(503, `{"code":"temporarily_unavailable"}`),
		"not found":               reply(404, `{"code":"not_found"}`),
		"invalid":                 reply(422, `{"code":"invalid_request"}`),
		"too many requests":       reply(429, ours),
		"accepted":                reply(202, ours),
		"no JSON":                 reply(200, `<html>`),
		"cut off":                 reply(200, ours[:40]),
		"nothing":                 reply(200, ``),
		"decline without a code":  reply(402, `{"intent":`+ours+`}`),
		"decline that is no JSON": reply(402, `no`),
		"no intent":               reply(200, `{}`),
		"another intent":          reply(200, strings.Replace(ours, "pi_1", "pi_2", 1)),
		"another order":           reply(200, strings.Replace(ours, "o-1", "o-2", 1)),
		"another amount":          reply(200, strings.Replace(ours, `"amount":4200`, `"amount":1`, 1)),
		"another currency":        reply(200, strings.Replace(ours, "EUR", "USD", 1)),
		"refusal of another":      reply(409, `{"code":"intent_canceled","intent":{"id":"pi_2"}}`),
		"refusal without intent":  reply(409, `{"code":"intent_canceled"}`),
		"far too long":            reply(200, ours+strings.Repeat(" ", 1<<20)),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				reply(200, ours)(w, r)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"connection lost": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			client := dial(t, gateway.Config{URL: serve(t, handler)})
			got, err := client.Perform(t.Context(), call(payment.Authorize, "tok_secret"), "pi_1")
			if !errors.Is(err, gateway.ErrUnknown) || got != (payment.Answer{}) {
				t.Errorf("answer %+v, error %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
	t.Run("our own intent is an answer", func(t *testing.T) { // or the others show nothing
		client := dial(t, gateway.Config{URL: serve(t, reply(200, ours))})
		if _, err := client.Perform(t.Context(), call(payment.Authorize, "tok_secret"), "pi_1"); err != nil {
			t.Error(err)
		}
	})
}

func TestPerformGivesUp(t *testing.T) {
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	url := serve(t, real)

	t.Run("after the timeout", func(t *testing.T) {
		client := dial(t, gateway.Config{URL: url, Timeout: 50 * time.Millisecond})
		got, err := client.Perform(t.Context(), call(payment.Authorize, platform.TokenTimeout), "")
		if !errors.Is(err, gateway.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) || got != (payment.Answer{}) {
			t.Errorf("answer %+v, error %v", got, err)
		}
		got, err = dial(t, gateway.Config{URL: url}).Perform(t.Context(), call(payment.Cancel, platform.TokenTimeout), "")
		if err != nil || got.Refusal != "" {
			t.Errorf("the fence: %+v, %v", got, err)
		}
	})
	t.Run("with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := dial(t, gateway.Config{URL: serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		}))})
		if _, err := client.Perform(ctx, call(payment.Authorize, "tok_secret"), ""); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("when nobody listens", func(t *testing.T) {
		client := dial(t, gateway.Config{URL: "http://127.0.0.1:1"})
		_, err := client.Perform(t.Context(), call(payment.Authorize, "tok_secret"), "")
		if !errors.Is(err, gateway.ErrUnknown) {
			t.Errorf("error %v", err)
		}
	})
}

// TestConnectionsAreKept makes calls one after another and counts connections.
func TestConnectionsAreKept(t *testing.T) {
	real, err := platform.Open(platform.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(real)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := dial(t, gateway.Config{URL: server.URL})
	for _, o := range []payment.Operation{payment.Authorize, payment.Capture, payment.Cancel, payment.Refund} {
		if _, err := client.Perform(t.Context(), call(o, platform.TokenVisa), ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections were opened, want 1", n)
	}
}

func TestNewNamesABadAddress(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8090", "ftp://gateway", "http://", "http://a b"} {
		if _, err := gateway.New(gateway.Config{URL: address}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
