// Package linear checks that stock and idempotency keys are linearizable: that what concurrent clients of several
// replicas were answered can be put into one order in which each operation happens at once, between its request and
// its answer. The models say what a single client would be answered; porcupine searches for the order.
package linear

import (
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// never is when an operation ends whose outcome nobody was told: it may happen at any time after its request, or not
// at all, which is the same as after everything else.
const never = math.MaxInt64

// History is what concurrent clients did and were answered. It is safe for concurrent use.
type History struct {
	start time.Time
	mu    sync.Mutex
	list  []porcupine.Operation
}

// NewHistory returns an empty History, whose time begins now.
func NewHistory() *History { return &History{start: time.Now()} }

// Now is the time on the history's clock, which never goes back.
func (h *History) Now() int64 { return int64(time.Since(h.start)) }

// Add adds an operation that was asked for at a time and answered now.
func (h *History) Add(client int, called int64, input, output any) {
	h.add(porcupine.Operation{ClientId: client, Input: input, Call: called, Output: output, Return: h.Now()})
}

// AddUnknown adds an operation that was asked for at a time and whose outcome is not known.
func (h *History) AddUnknown(client int, called int64, input, output any) {
	h.add(porcupine.Operation{ClientId: client, Input: input, Call: called, Output: output, Return: never})
}

func (h *History) add(o porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, o)
}

// Operations returns all that was added.
func (h *History) Operations() []porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list
}
