package demo

import "time"

// timeout: the order's deadline passes while payment still waits for the gateway.
func timeout(s *scene) {
	tea := s.stocked(5)
	placed := s.place("tok_timeout", tea, 1)
	s.unanswered(placed.ID)
	s.ends(placed.ID, timedOut)
	cancelled, err := s.tape.await(s.ctx, placed.ID, "OrderCancelled")
	s.check(err)
	waited := cancelled.Time.Sub(placed.PlacedAt)
	if waited < 3*time.Second {
		s.fail("it was cancelled after %s already", waited)
	}
	s.levels(tea, 5, 0)
	s.saw("cancelled after %s, stock released, no money held", waited.Round(100*time.Millisecond))
}
