package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
)

const (
	bodySize = 16 << 10
	nameSize = 255 // of references, payment methods and idempotency keys, in bytes
)

func readIntent(w http.ResponseWriter, r *http.Request) (Intent, refusal) {
	var body struct {
		Reference     *string `json:"reference"`
		Amount        *int64  `json:"amount"`
		Currency      *string `json:"currency"`
		PaymentMethod *string `json:"payment_method"`
	}
	if refused := readBody(w, r, &body); refused.Code != "" {
		return Intent{}, refused
	}
	switch {
	case body.Reference == nil || !isName(*body.Reference):
		return Intent{}, invalid("reference must be 1 to 255 printable ASCII characters without spaces.")
	case body.Amount == nil || *body.Amount <= 0:
		return Intent{}, invalid("amount must be a positive integer of minor units.")
	case body.Currency == nil || !isCurrency(*body.Currency):
		return Intent{}, invalid("currency must be three capital letters, as in ISO 4217.")
	case body.PaymentMethod == nil || !isName(*body.PaymentMethod):
		return Intent{}, invalid("payment_method must be 1 to 255 printable ASCII characters without spaces.")
	}
	return Intent{Reference: *body.Reference, Amount: *body.Amount, Currency: *body.Currency,
		PaymentMethod: Token(*body.PaymentMethod)}, refusal{}
}

func readAmount(w http.ResponseWriter, r *http.Request) (int64, refusal) {
	var body struct {
		Amount *int64 `json:"amount"`
	}
	if refused := readBody(w, r, &body); refused.Code != "" {
		return 0, refused
	}
	if body.Amount == nil || *body.Amount <= 0 {
		return 0, invalid("amount must be a positive integer of minor units.")
	}
	return *body.Amount, refusal{}
}

// readNothing accepts no body or an empty object.
func readNothing(w http.ResponseWriter, r *http.Request) refusal {
	if r.ContentLength == 0 {
		return refusal{}
	}
	var body struct{}
	return readBody(w, r, &body)
}

// readBody decodes a JSON object of known members, each at most once. No body counts as an empty object.
func readBody(w http.ResponseWriter, r *http.Request, into any) refusal {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodySize))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuseBodyTooLarge
	case err != nil:
		return invalid("The request body could not be read.")
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return refusal{}
	}
	if body[0] != '{' || json.Unmarshal(body, into, json.RejectUnknownMembers(true)) != nil {
		return invalid("The request body must be a JSON object of the documented members.")
	}
	return refusal{}
}

func readKey(r *http.Request) (string, refusal) {
	key := r.Header.Get("Idempotency-Key")
	if !isName(key) {
		return "", invalid("The header Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.")
	}
	return key, refusal{}
}

func readPage(r *http.Request) (after int64, limit int, refused refusal) {
	query := r.URL.Query()
	limit = ledgerPage
	if text := query.Get("after"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return 0, 0, invalid("after must be the number of an operation.")
		}
		after = int64(n)
	}
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > ledgerPageMax {
			return 0, 0, invalid("limit must be from 1 to 10000.")
		}
		limit = n
	}
	return after, limit, refusal{}
}

func isName(text string) bool {
	if len(text) == 0 || len(text) > nameSize {
		return false
	}
	for _, c := range []byte(text) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

func isCurrency(text string) bool {
	if len(text) != 3 {
		return false
	}
	for _, c := range []byte(text) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
