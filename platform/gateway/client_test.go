package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

// caller asks a gateway that listens nowhere.
type caller struct {
	t       testing.TB
	gateway *gateway.Gateway
}

// answer is what every endpoint but the lists answers: an intent, or a code with or without one.
type answer struct {
	status int
	body   string
	code   gateway.Code
	intent gateway.Intent
}

func open(t testing.TB, config gateway.Config) caller {
	t.Helper()
	g, err := gateway.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return caller{t, g}
}

// intent opens an intent of 1000 EUR cents under the reference.
func (c caller) intent(reference string, token gateway.Token) gateway.Intent {
	c.t.Helper()
	got := c.open(reference, 1000, "EUR", token)
	if got.status != http.StatusCreated {
		c.t.Fatalf("open answered %d: %s", got.status, got.body)
	}
	return got.intent
}

func (c caller) open(reference string, amount int64, currency string, token gateway.Token) answer {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{
		"reference": reference, "amount": amount, "currency": currency, "payment_method": token})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(c.t.Context(), http.MethodPost, "/v1/payment_intents", "", string(body))
}

func (c caller) authorize(id, key string) answer { return c.post(id, "authorize", key, "") }

func (c caller) cancel(id, key string) answer { return c.post(id, "cancel", key, "{}") }

func (c caller) capture(id, key string, amount int64) answer {
	return c.post(id, "capture", key, amountBody(amount))
}

func (c caller) refund(id, key string, amount int64) answer {
	return c.post(id, "refund", key, amountBody(amount))
}

func (c caller) get(id string) answer {
	return c.send(c.t.Context(), http.MethodGet, "/v1/payment_intents/"+id, "", "")
}

// ledger returns every operation.
func (c caller) ledger() []gateway.Operation {
	c.t.Helper()
	var page struct{ Operations []gateway.Operation }
	got := c.send(c.t.Context(), http.MethodGet, "/v1/ledger?limit=10000", "", "")
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		c.t.Fatalf("ledger answered %d: %s", got.status, got.body)
	}
	return page.Operations
}

func (c caller) attempts(id string) (counted gateway.Attempts) {
	c.t.Helper()
	got := c.send(c.t.Context(), http.MethodGet, "/v1/payment_intents/"+id+"/attempts", "", "")
	if err := json.Unmarshal([]byte(got.body), &counted); err != nil || got.status != http.StatusOK {
		c.t.Fatalf("attempts answered %d: %s", got.status, got.body)
	}
	return counted
}

func (c caller) post(id, operation, key, body string) answer {
	return c.send(c.t.Context(), http.MethodPost, "/v1/payment_intents/"+id+"/"+operation, key, body)
}

func (c caller) send(ctx context.Context, method, path, key, body string) answer {
	c.t.Helper()
	request := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	recorder := httptest.NewRecorder()
	c.gateway.ServeHTTP(recorder, request)

	got := answer{status: recorder.Code, body: recorder.Body.String()}
	if recorder.Body.Len() == 0 {
		return got
	}
	if got.status < 300 {
		if err := json.Unmarshal(recorder.Body.Bytes(), &got.intent); err != nil {
			c.t.Fatalf("%s %s answered %s: %v", method, path, got.body, err)
		}
		return got
	}
	var problem struct {
		Code   gateway.Code
		Intent gateway.Intent
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &problem); err != nil || problem.Code == "" {
		c.t.Fatalf("%s %s answered %d without a code: %s", method, path, got.status, got.body)
	}
	got.code, got.intent = problem.Code, problem.Intent
	return got
}

func amountBody(amount int64) string {
	body, _ := json.Marshal(map[string]int64{"amount": amount})
	return string(body)
}
