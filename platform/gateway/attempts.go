package gateway

import (
	"net/http"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// Attempts counts the authorizations of an intent that got no final answer. They leave no operation, for they changed
// nothing; a count is kept since the start only, so that faults can be seen to have happened.
type Attempts struct {
	Unavailable int `json:"unavailable"` // answered 503: tok_flaky
	Unanswered  int `json:"unanswered"`  // kept waiting until the caller left: tok_timeout
}

func (g *Gateway) getAttempts(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	intent, position := g.book.intent(id)
	if intent == nil {
		g.conclude(w, nil, refuseNotFound, position)
		return
	}
	g.answer(w, http.StatusOK, g.book.attemptsOf(id), journal.Position(0))
}

func (b *book) attemptsOf(id string) Attempts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts[id]
}

// fail reports whether a flaky card fails this time.
func (b *book) fail(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.attempts[id]
	if a.Unavailable == flakyFailures {
		return false
	}
	a.Unavailable++
	b.attempts[id] = a
	return true
}

// leave counts a caller that waited in vain.
func (b *book) leave(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.attempts[id]
	a.Unanswered++
	b.attempts[id] = a
}
