package payment

import "fmt"

// CaptureFailure says why a capture was refused.
type CaptureFailure string

// The reasons of CaptureFailed, in the words of the contract.
const (
	CaptureFailureUnknown  CaptureFailure = "unknown"
	CaptureFailureDeclined CaptureFailure = "declined"
	CaptureFailureExpired  CaptureFailure = "authorization_expired"
)

// captureAnswered records a refusal. The money itself was read from the intent.
func (p *Payment) captureAnswered(a Answer) error {
	if a.Refusal == "" || a.Refusal == RefusedAlreadyCaptured {
		if a.Intent.Captured == 0 {
			return fmt.Errorf("%w: captured nothing", ErrContradiction)
		}
		return nil
	}
	if p.Captured > 0 || p.CaptureFailure != "" {
		return nil
	}
	if p.Cancelled && a.Refusal == RefusedIntentCanceled {
		return nil // our own fence stopped a late call: nothing failed
	}
	switch a.Refusal {
	case RefusedCaptureDeclined:
		p.CaptureFailure = CaptureFailureDeclined
	case RefusedAuthorizationExpired:
		p.CaptureFailure, p.Expired = CaptureFailureExpired, true
	default:
		p.CaptureFailure = CaptureFailureUnknown
	}
	return nil
}
