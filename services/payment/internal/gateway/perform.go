package gateway

import (
	"context"
	"net/url"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Perform makes a call and returns the gateway's final answer, without a time. It opens the intent under the order id
// first, unless its id is known. On an error, which wraps ErrUnknown, the call may have been carried out or not: it is
// to be made again, and is carried out once, for its idempotency key stays.
func (c *Client) Perform(ctx context.Context, call payment.Call, intentID string) (payment.Answer, error) {
	answer := payment.Answer{OrderID: call.OrderID, Operation: call.Operation}
	answered := false
	if intentID == "" {
		if !isName(call.Method) {
			// No gateway takes it, today or later: as refused as one that the gateway knows nothing of.
			answer.Refusal = payment.RefusedInvalidPaymentMethod
			return answer, nil
		}
		opened, err := c.open(ctx, call)
		if err != nil {
			return payment.Answer{}, unknown("open a payment intent", answered, err)
		}
		if opened.refusal != "" {
			answer.Refusal = opened.refusal // the intent shown, if any, is not ours
			return answer, nil
		}
		intentID, answered = opened.intent.ID, true
	}
	done, err := c.operate(ctx, call, intentID)
	if err != nil {
		return payment.Answer{}, unknown(string(call.Operation), answered, err)
	}
	answer.Refusal, answer.Intent = done.refusal, done.intent.domain()
	return answer, nil
}

func (c *Client) open(ctx context.Context, call payment.Call) (reply, error) {
	opened, err := c.post(ctx, c.intents, "", struct {
		Reference     string `json:"reference"`
		Amount        int64  `json:"amount"`
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}{call.OrderID, call.Amount, call.Currency, call.Method})
	if err == nil && opened.refusal == "" {
		err = opened.intent.check(call, "")
	}
	return opened, err
}

func (c *Client) operate(ctx context.Context, call payment.Call, intentID string) (reply, error) {
	var body struct {
		Amount int64 `json:"amount,omitempty"`
	}
	if call.Operation == payment.Capture || call.Operation == payment.Refund {
		body.Amount = call.Amount
	}
	address := c.intents + "/" + url.PathEscape(intentID) + "/" + string(call.Operation)
	done, err := c.post(ctx, address, call.IdempotencyKey(), body)
	if err == nil {
		err = done.intent.check(call, intentID)
	}
	return done, err
}
