package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// gateway asks the payment gateway.
type gateway struct {
	intents string
	client  *http.Client
}

// intent is a payment as the gateway shows it.
type intent struct {
	ID         string `json:"id"`
	Authorized int64  `json:"authorized"`
	Captured   int64  `json:"captured"`
}

func newGateway(addr string) *gateway {
	return &gateway{
		intents: "http://" + addr + "/v1/payment_intents",
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: gatewayCalls}},
	}
}

// perform opens an intent and authorizes it, or captures it.
func (g *gateway) perform(ctx context.Context, c call) (*message, error) {
	id, amount := c.payment.intent, int64(0)
	if c.operation == authorize {
		opened, _, err := g.post(ctx, g.intents, "", map[string]any{
			"reference": c.key, "amount": c.payment.amount, "currency": c.payment.currency,
			"payment_method": c.payment.method,
		})
		if err != nil {
			return nil, err
		}
		id = opened.ID
	} else {
		amount = c.payment.amount
	}
	done, said, err := g.post(ctx, g.intents+"/"+id+"/"+c.operation, c.key+"/"+c.operation, struct {
		Amount int64 `json:"amount,omitempty"`
	}{amount})
	return &message{intent: done, digest: digest(said)}, err
}

func (g *gateway) post(ctx context.Context, url, key string, body any) (shown intent, said []byte, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return shown, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return shown, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := g.client.Do(request)
	if err != nil {
		return shown, nil, err
	}
	defer response.Body.Close()
	if said, err = io.ReadAll(response.Body); err != nil {
		return shown, nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return shown, nil, fmt.Errorf("the gateway answers %s: %s", response.Status, said)
	}
	return shown, said, json.Unmarshal(said, &shown)
}
