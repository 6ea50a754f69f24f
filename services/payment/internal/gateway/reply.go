package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// intent is a payment intent as the gateway shows it. Its authorized stays once the hold is gone, which is what
// payment.Intent means by it.
type intent struct {
	ID         string `json:"id"`
	Reference  string `json:"reference"`
	Amount     int64  `json:"amount"`
	Currency   string `json:"currency"`
	Authorized int64  `json:"authorized"`
	Captured   int64  `json:"captured"`
	Refunded   int64  `json:"refunded"`
}

// reply is a final answer: success if the refusal is empty. A refused open may come without an intent.
type reply struct {
	refusal payment.Refusal
	intent  *intent
}

// readReply returns an error unless the answer is final: 2xx, 402 or 409.
func readReply(response *http.Response) (reply, error) {
	switch response.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusPaymentRequired, http.StatusConflict:
	default:
		err := fmt.Errorf("status %d", response.StatusCode)
		if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			err = awayError{err}
		}
		return reply{}, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return reply{}, awayError{fmt.Errorf("read the answer: %w", err)}
	}
	if len(body) > maxBody {
		return reply{}, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}

	if response.StatusCode < 300 {
		var shown intent
		if json.Unmarshal(body, &shown) != nil {
			return reply{}, errors.New("the answer is no payment intent")
		}
		return reply{intent: &shown}, nil
	}
	var problem struct {
		Code   payment.Refusal `json:"code"`
		Intent *intent         `json:"intent"`
	}
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" {
		return reply{}, fmt.Errorf("status %d without a code", response.StatusCode)
	}
	return reply{refusal: problem.Code, intent: problem.Intent}, nil
}

// check reports whether the intent is that of the call.
func (i *intent) check(call payment.Call, id string) error {
	switch {
	case i == nil || i.ID == "":
		return errors.New("the answer shows no payment intent")
	case id != "" && i.ID != id:
		return fmt.Errorf("the answer shows intent %q, asked about was %q", i.ID, id)
	case i.Reference != call.OrderID:
		return fmt.Errorf("the answer shows an intent of reference %q", i.Reference)
	case i.Amount != call.Amount || i.Currency != call.Currency:
		return fmt.Errorf("the answer shows an intent of %d %s, the order's total is %d %s", i.Amount, i.Currency,
			call.Amount, call.Currency)
	}
	return nil
}

func (i *intent) domain() payment.Intent {
	return payment.Intent{ID: i.ID, Authorized: i.Authorized, Captured: i.Captured, Refunded: i.Refunded}
}
