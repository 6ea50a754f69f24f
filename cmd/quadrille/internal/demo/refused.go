package demo

import "slices"

// outOfStock: all lines are reserved or none. Nobody has called the gateway by then.
func outOfStock(s *scene) {
	cake := s.stocked(1)
	s.ends(s.place("tok_visa", cake, 2).ID, soldOut)
	s.levels(cake, 1, 0)
	s.saw("no stock held, gateway never called")
}

// declined: the stock was held by the time the card was declined, and is released.
func declined(s *scene) {
	s.refusedBy("tok_declined", "card_declined")
}

// insufficientFunds differs from declined in what the gateway says.
func insufficientFunds(s *scene) {
	s.refusedBy("tok_insufficient_funds", "insufficient_funds")
}

func (s *scene) refusedBy(token, code string) {
	tea := s.stocked(5)
	want := refused
	want.gateway = slices.Clone(want.gateway)
	want.gateway[1] = "authorize: " + code
	o := s.ends(s.place(token, tea, 3).ID, want)
	payment, err := s.Payment(s.ctx, o.ID)
	s.check(err)
	if payment.DeclineReason != code {
		s.fail("payment says that it was declined because of %q", payment.DeclineReason)
	}
	s.levels(tea, 5, 0)
	s.saw("gateway: %s; stock released", code)
}

// captureRefused: the order was confirmed already when the gateway refused to hand out the money.
func captureRefused(s *scene) {
	tea := s.stocked(5)
	s.ends(s.place("tok_capture_declined", tea, 3).ID, uncaptured)
	s.levels(tea, 5, 0)
	s.saw("confirmed, then cancelled; hold cancelled, stock back")
}
