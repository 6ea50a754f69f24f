package payment

import "fmt"

// DeclineReason says why an authorization was refused.
type DeclineReason string

// The reasons of Declined, in the words of the contract.
const (
	DeclineUnknown           DeclineReason = "unknown"
	DeclineCardDeclined      DeclineReason = "card_declined"
	DeclineInsufficientFunds DeclineReason = "insufficient_funds"
)

// authorizeAnswered records a refusal. The hold itself was read from the intent.
func (p *Payment) authorizeAnswered(a Answer) error {
	if a.Refusal == "" {
		if a.Intent.Authorized == 0 {
			return fmt.Errorf("%w: authorized nothing", ErrContradiction)
		}
		return nil
	}
	if p.Authorized > 0 || p.Decline != "" {
		return nil
	}
	if p.Cancelled && a.Refusal == RefusedIntentCanceled {
		return nil // our own fence stopped a late call: nobody declined anything
	}
	switch a.Refusal {
	case RefusedCardDeclined:
		p.Decline = DeclineCardDeclined
	case RefusedInsufficientFunds:
		p.Decline = DeclineInsufficientFunds
	default:
		p.Decline = DeclineUnknown
	}
	return nil
}
