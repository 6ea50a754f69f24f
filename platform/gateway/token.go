package gateway

// Token stands for a card. Any token but these is declined as CodeInvalidPaymentMethod.
type Token string

// The tokens, and how their cards behave.
const (
	TokenVisa              Token = "tok_visa"               // everything succeeds
	TokenDeclined          Token = "tok_declined"           // authorize: 402 card_declined
	TokenInsufficientFunds Token = "tok_insufficient_funds" // authorize: 402 insufficient_funds
	TokenFlaky             Token = "tok_flaky"              // authorize: 503 twice, then succeeds
	TokenSlow              Token = "tok_slow"               // authorize: takes Config.Slow, with or without its caller
	TokenTimeout           Token = "tok_timeout"            // authorize: never answers and changes nothing
	TokenCaptureDeclined   Token = "tok_capture_declined"   // capture: 402 capture_declined
	TokenRefundDeclined    Token = "tok_refund_declined"    // refund: 402 refund_declined
	TokenCancelDeclined    Token = "tok_cancel_declined"    // capture and cancel: 402 capture_declined, cancel_declined
)

const flakyFailures = 2

// Tokens returns all that the gateway knows.
func Tokens() []Token {
	return []Token{
		TokenVisa, TokenDeclined, TokenInsufficientFunds, TokenFlaky, TokenSlow, TokenTimeout, TokenCaptureDeclined,
		TokenRefundDeclined, TokenCancelDeclined,
	}
}

// decline returns why the card refuses an authorization, empty if it does not.
func (t Token) decline() Code {
	switch t {
	case TokenVisa, TokenFlaky, TokenSlow, TokenTimeout, TokenCaptureDeclined, TokenRefundDeclined,
		TokenCancelDeclined:
		return ""
	case TokenDeclined:
		return CodeCardDeclined
	case TokenInsufficientFunds:
		return CodeInsufficientFunds
	}
	return CodeInvalidPaymentMethod
}
