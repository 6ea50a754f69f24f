package demo

// cancelBefore: the customer's wish arrives while the gateway is slow to authorize. What it holds in the end is let go.
func cancelBefore(s *scene) {
	tea := s.stocked(5)
	o := s.place("tok_slow", tea, 1)
	// The gateway is being asked.
	s.until("the payment intent", func() error { _, err := s.Intent(s.ctx, o.ID); return err })
	o, err := s.Cancel(s.ctx, o.ID, "Ordered by mistake")
	s.check(err)
	if o.Status != "cancelled" {
		s.fail("a cancelled order is %s", o.Status)
	}
	o = s.ends(o.ID, cancelledBefore)
	if o.Detail != "Ordered by mistake" {
		s.fail("the customer's words became %q", o.Detail)
	}
	intent, err := s.Intent(s.ctx, o.ID)
	s.check(err)
	if intent.Status != "canceled" || intent.Authorized != o.Total.Amount {
		s.fail("the gateway has %+v, not a hold that was cancelled", intent)
	}
	s.levels(tea, 5, 0)
	s.saw("the late hold of %d was cancelled at the gateway", intent.Authorized)
}

// cancelAfter: everything was done, and all of it is undone.
func cancelAfter(s *scene) {
	tea := s.stocked(5)
	o := s.place("tok_visa", tea, 2)
	done, err := s.Completed(s.ctx, o.ID)
	s.check(err)
	s.check(confirmed.of(done))
	s.levels(tea, 5, 2)
	_, err = s.Cancel(s.ctx, o.ID, "Changed my mind")
	s.check(err)
	o = s.ends(o.ID, cancelledAfter)
	s.levels(tea, 5, 0)

	// A second cancellation changes nothing.
	again, err := s.Cancel(s.ctx, o.ID, "Once more")
	s.check(err)
	if again.Version != o.Version || again.Detail != o.Detail {
		s.fail("a second cancellation made %+v of %+v", again, o)
	}
	s.saw("%d refunded, 2 back in stock", o.Total.Amount)
}
