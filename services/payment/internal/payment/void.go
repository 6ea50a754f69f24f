package payment

import "fmt"

// cancelAnswered records that the fence stands, or that a capture was faster: then the money is refunded instead. Only
// this answer proves the fence and says what became of the hold; that a late call found the intent cancelled does not.
func (p *Payment) cancelAnswered(a Answer) error {
	switch a.Refusal {
	case "", RefusedIntentCanceled:
		p.Fenced = true
	case RefusedAlreadyCaptured:
		if a.Intent.Captured == 0 {
			return fmt.Errorf("%w: already captured, yet nothing captured", ErrContradiction)
		}
	case RefusedAuthorizationExpired:
		p.Fenced, p.Expired = true, true
	default:
		if a.Refusal == RefusedInvalidPaymentMethod && p.Intent == "" {
			p.Fenced = true // such a method opens no intent, ever: there is nothing that could be held
			return nil
		}
		if p.Captured == 0 && !p.Fenced && p.CancelRefused == "" {
			p.CancelRefused = a.Refusal
		}
	}
	return nil
}
