package payment

import "fmt"

// refundAnswered records a refusal. The refund itself was read from the intent.
func (p *Payment) refundAnswered(a Answer) error {
	if a.Refusal == "" && a.Intent.Refunded == 0 {
		return fmt.Errorf("%w: refunded nothing", ErrContradiction)
	}
	if p.Refunded == 0 && p.RefundRefused == "" {
		p.RefundRefused = a.Refusal
	}
	return nil
}
