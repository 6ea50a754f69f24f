package gateway

import "net/http"

// Code names a refusal for programs.
type Code string

// Declines, answered with 402: the card said no, for good.
const (
	CodeCardDeclined         Code = "card_declined"
	CodeInsufficientFunds    Code = "insufficient_funds"
	CodeInvalidPaymentMethod Code = "invalid_payment_method"
	CodeCaptureDeclined      Code = "capture_declined"
	CodeRefundDeclined       Code = "refund_declined"
	CodeCancelDeclined       Code = "cancel_declined"
)

// Refusals, answered with 409: the intent is not in a status for the operation, or a name is taken.
const (
	CodeIntentCanceled       Code = "intent_canceled"
	CodeAlreadyAuthorized    Code = "already_authorized"
	CodeAlreadyCaptured      Code = "already_captured"
	CodeNotAuthorized        Code = "not_authorized"
	CodeAuthorizationExpired Code = "authorization_expired"
	CodeAmountTooLarge       Code = "amount_too_large"
	CodeNothingToRefund      Code = "nothing_to_refund"
	CodeReferenceReused      Code = "reference_reused"
	CodeKeyReused            Code = "idempotency_key_reused"
)

// Answers that say nothing of the intent and are not kept: the caller may repeat the request, mended or not.
const (
	CodeInvalidRequest Code = "invalid_request"
	CodeTooLarge       Code = "request_too_large"
	CodeNotFound       Code = "not_found"
	CodeUnavailable    Code = "temporarily_unavailable"
)

// refusal is any answer but success; the zero refusal is success.
type refusal struct {
	Status  int
	Code    Code
	Message string
}

var (
	refuseCaptureDeclined = refusals[CodeCaptureDeclined]
	refuseRefundDeclined  = refusals[CodeRefundDeclined]
	refuseCancelDeclined  = refusals[CodeCancelDeclined]
	refuseCanceled        = refusals[CodeIntentCanceled]
	refuseAuthorized      = refusals[CodeAlreadyAuthorized]
	refuseCaptured        = refusals[CodeAlreadyCaptured]
	refuseNotAuthorized   = refusals[CodeNotAuthorized]
	refuseExpired         = refusals[CodeAuthorizationExpired]
	refuseTooLarge        = refusals[CodeAmountTooLarge]
	refuseNothingToRefund = refusals[CodeNothingToRefund]
	refuseReferenceReused = refusals[CodeReferenceReused]
	refuseKeyReused       = refusals[CodeKeyReused]
	refuseBodyTooLarge    = refusals[CodeTooLarge]
	refuseNotFound        = refusals[CodeNotFound]
	refuseUnavailable     = refusals[CodeUnavailable]
)

// refusals holds each refusal with its fixed text, so that a kept answer is repeated word for word from its code.
var refusals = index(
	refusal{http.StatusPaymentRequired, CodeCardDeclined, "The card was declined."},
	refusal{http.StatusPaymentRequired, CodeInsufficientFunds, "The card has insufficient funds."},
	refusal{http.StatusPaymentRequired, CodeInvalidPaymentMethod, "The payment method is not known."},
	refusal{http.StatusPaymentRequired, CodeCaptureDeclined, "The capture was declined for good."},
	refusal{http.StatusPaymentRequired, CodeRefundDeclined, "The refund was declined for good."},
	refusal{http.StatusPaymentRequired, CodeCancelDeclined, "The hold is not let go of, for good."},
	refusal{http.StatusConflict, CodeIntentCanceled, "The payment intent has been canceled."},
	refusal{http.StatusConflict, CodeAlreadyAuthorized, "The payment intent has been authorized already."},
	refusal{http.StatusConflict, CodeAlreadyCaptured, "The payment intent has been captured already."},
	refusal{http.StatusConflict, CodeNotAuthorized, "The payment intent is not authorized."},
	refusal{http.StatusConflict, CodeAuthorizationExpired, "The authorization has expired."},
	refusal{http.StatusConflict, CodeAmountTooLarge, "The amount is more than what is left."},
	refusal{http.StatusConflict, CodeNothingToRefund, "Nothing is left to refund."},
	refusal{http.StatusConflict, CodeReferenceReused, "The reference belongs to a payment intent with other details."},
	refusal{http.StatusConflict, CodeKeyReused, "The idempotency key belongs to another request."},
	refusal{http.StatusRequestEntityTooLarge, CodeTooLarge, "The request body is too large."},
	refusal{http.StatusNotFound, CodeNotFound, "There is no such resource."},
	refusal{http.StatusServiceUnavailable, CodeUnavailable, "The gateway cannot answer at present."},
)

func index(all ...refusal) map[Code]refusal {
	byCode := make(map[Code]refusal, len(all))
	for _, r := range all {
		byCode[r.Code] = r
	}
	return byCode
}

func invalid(message string) refusal {
	return refusal{http.StatusUnprocessableEntity, CodeInvalidRequest, message}
}
