package demo

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// flakyGateway: a call without an answer is claimed and made again under its key, so that it is carried out once.
func flakyGateway(s *scene) {
	tea := s.stocked(5)
	o := s.ends(s.place("tok_flaky", tea, 1).ID, confirmed)
	attempts := s.attempts(o.ID)
	if attempts.Unavailable != 2 {
		s.fail("the gateway has failed %d times, not twice", attempts.Unavailable)
	}
	s.levels(tea, 5, 1)
	s.saw("503 twice, then authorized once")
}

// attempts at the gateway that came to nothing.
func (s *scene) attempts(orderID string) client.Attempts {
	intent, err := s.Intent(s.ctx, orderID)
	s.check(err)
	attempts, err := s.Attempts(s.ctx, intent.ID)
	s.check(err)
	return attempts
}

// unanswered waits until a call to the gateway has been given up, and returns the intent that it was about.
func (s *scene) unanswered(orderID string) (intent client.Intent) {
	s.until("a call that the gateway does not answer", func() (err error) {
		if intent, err = s.Intent(s.ctx, orderID); err != nil {
			return err
		}
		attempts, err := s.Attempts(s.ctx, intent.ID)
		if err == nil && attempts.Unanswered == 0 {
			err = fmt.Errorf("attempts are %+v", attempts)
		}
		return err
	})
	return intent
}

// silentGateway: nobody knows whether the authorization without an answer will succeed some day. Payment says that it
// is voided only once the gateway has acknowledged the cancellation, which is a fence.
func silentGateway(s *scene) {
	tea := s.stocked(5)
	o := s.place("tok_timeout", tea, 1)
	intent := s.unanswered(o.ID)
	_, err := s.Cancel(s.ctx, o.ID, "It takes too long")
	s.check(err)
	want := timedOut
	want.reason = "customer_request"
	s.ends(o.ID, want)

	// The call that was on its way for so long arrives at last.
	_, err = s.Authorize(s.ctx, intent.ID, o.ID+"/authorize")
	if client.StatusOf(err) != 409 {
		s.fail("a late authorization was not refused: %v", err)
	}
	intent, err = s.Intent(s.ctx, o.ID)
	s.check(err)
	if intent.Status != "canceled" || intent.Authorized != 0 {
		s.fail("after a late authorization the gateway holds %+v", intent)
	}
	// The refusal is in the gateway's record now, and nothing else is.
	s.again = nil
	s.levels(tea, 5, 0)
	s.saw("authorize unanswered, cancel acknowledged, late authorize refused")
}
