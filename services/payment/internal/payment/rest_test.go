package payment_test

import "github.com/quadrille-platform/quadrille/services/payment/internal/payment"

// checkRest checks what must hold once nothing more can happen: our books, events and state agree with the gateway's
// own record, and the saga is where its letters lead.
func (s *saga) checkRest(t failer, p payment.Payment) {
	t.Helper()
	intent := s.gateway.intent
	if p.Captured != intent.Captured || p.Refunded != intent.Refunded {
		t.Fatalf("G5: at rest the gateway took %d and gave back %d, we think %d and %d", intent.Captured, intent.Refunded,
			p.Captured, p.Refunded)
	}
	if s.books != p.Captured-p.Refunded {
		t.Fatalf("G5: the books say %d, captured − refunded is %d", s.books, p.Captured-p.Refunded)
	}
	if got, want := s.events[2] == 1, intent.Captured > 0; got != want {
		t.Fatalf("G5: capture published: %t, captured by the gateway: %t", got, want)
	}
	if !s.came[cancelled] {
		s.checkForward(t, p)
		return
	}

	ended := s.events[4] + s.events[5]
	switch {
	case intent.Captured > 0 && s.gateway.method == refundDeclined,
		p.Claims > 0 && intent.Captured == 0 && s.gateway.method == cancelDeclined:
		if !p.Stuck() || ended != 0 {
			t.Fatalf("G6: the gateway refuses to undo, yet stuck is %t and %d answers were published", p.Stuck(), ended)
		}
		return
	case p.Stuck() || ended != 1:
		t.Fatalf("G6: stuck is %t and %d answers to the cancellation were published\n%+v\n%+v", p.Stuck(), ended, p, *s)
	}
	if intent.Captured > 0 {
		if p.Ended != payment.EndedRefunded || s.events[5] != 1 || intent.Refunded != intent.Captured {
			t.Fatalf("G5: captured and cancelled, yet %+v", p)
		}
		return
	}
	if p.Ended != payment.EndedVoided || s.events[4] != 1 {
		t.Fatalf("G5: cancelled before a capture, yet %+v", p)
	}
	if p.Claims > 0 && !s.gateway.canceled && s.gateway.method != unknownMethod {
		t.Fatalf("G5: voided after a claim without the fence")
	}
	want := intent.Authorized
	if s.gateway.method == expired {
		want = 0
	}
	if got := p.Released(); got != want && !s.gateway.forgets {
		t.Fatalf("G5: released %d, the gateway held %d", got, want)
	}
}

// checkForward checks the rest of a saga without a cancellation.
func (s *saga) checkForward(t failer, p payment.Payment) {
	t.Helper()
	want := payment.StatusPending
	if s.came[placed] && s.came[reserved] {
		switch s.gateway.method {
		case declined, unknownMethod:
			want = payment.StatusDeclined
		case silent:
		default:
			want = payment.StatusAuthorized
		}
	}
	if want == payment.StatusAuthorized && s.came[confirmed] {
		want = payment.StatusCaptured
		if s.gateway.method == captureDeclined || s.gateway.method == expired {
			want = payment.StatusCaptureFailed
		}
	}
	if p.Status() != want || p.Stuck() {
		t.Fatalf("at rest with status %s (stuck %t), want %s", p.Status(), p.Stuck(), want)
	}
}
