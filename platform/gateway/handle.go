package gateway

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

const (
	ledgerPage    = 1_000
	ledgerPageMax = 10_000
)

// problem is the body of every answer but success.
type problem struct {
	Code    Code    `json:"code"`
	Message string  `json:"message"`
	Intent  *Intent `json:"intent,omitzero"` // as it stands, where there is one
}

func (g *Gateway) open(w http.ResponseWriter, r *http.Request) {
	wanted, refused := readIntent(w, r)
	if refused.Code != "" {
		g.refuse(w, refused)
		return
	}
	intent, created, refused, position := g.book.openIntent(wanted)
	if created {
		g.answer(w, http.StatusCreated, intent, position)
		return
	}
	g.conclude(w, intent, refused, position)
}

func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request) {
	key, refused := readKey(r)
	if refused.Code == "" {
		refused = readNothing(w, r)
	}
	if refused.Code != "" {
		g.refuse(w, refused)
		return
	}
	id := r.PathValue("id")
	switch g.book.pending(id, key) {
	case TokenFlaky:
		if g.book.fail(id) {
			g.refuse(w, refuseUnavailable)
			return
		}
	case TokenSlow:
		// It goes on when the caller has left, as a card processor does: the late authorization is the one that the
		// fence is there for.
		if !g.pause(g.config.Slow) {
			g.refuse(w, refuseUnavailable)
			return
		}
	case TokenTimeout:
		select {
		case <-r.Context().Done():
			g.book.leave(id)
		case <-g.closing:
			g.refuse(w, refuseUnavailable)
		}
		return
	}
	intent, refused, position := g.book.operate(KindAuthorize, id, key, 0)
	g.conclude(w, intent, refused, position)
}

func (g *Gateway) capture(w http.ResponseWriter, r *http.Request) { g.move(w, r, KindCapture) }

func (g *Gateway) refund(w http.ResponseWriter, r *http.Request) { g.move(w, r, KindRefund) }

func (g *Gateway) cancel(w http.ResponseWriter, r *http.Request) {
	key, refused := readKey(r)
	if refused.Code == "" {
		refused = readNothing(w, r)
	}
	if refused.Code != "" {
		g.refuse(w, refused)
		return
	}
	intent, refused, position := g.book.operate(KindCancel, r.PathValue("id"), key, 0)
	g.conclude(w, intent, refused, position)
}

// move captures or refunds an amount.
func (g *Gateway) move(w http.ResponseWriter, r *http.Request, kind Kind) {
	key, refused := readKey(r)
	var amount int64
	if refused.Code == "" {
		amount, refused = readAmount(w, r)
	}
	if refused.Code != "" {
		g.refuse(w, refused)
		return
	}
	intent, refused, position := g.book.operate(kind, r.PathValue("id"), key, amount)
	g.conclude(w, intent, refused, position)
}

func (g *Gateway) get(w http.ResponseWriter, r *http.Request) {
	intent, position := g.book.intent(r.PathValue("id"))
	if intent == nil {
		g.conclude(w, nil, refuseNotFound, position)
		return
	}
	g.answer(w, http.StatusOK, intent, position)
}

func (g *Gateway) find(w http.ResponseWriter, r *http.Request) {
	reference := r.URL.Query().Get("reference")
	if reference == "" {
		g.refuse(w, invalid("The query must name a reference."))
		return
	}
	found := []*Intent{}
	intent, position := g.book.intent(intentID(reference))
	if intent != nil {
		found = append(found, intent)
	}
	g.answer(w, http.StatusOK, map[string][]*Intent{"payment_intents": found}, position)
}

func (g *Gateway) ledger(w http.ResponseWriter, r *http.Request) {
	after, limit, refused := readPage(r)
	if refused.Code != "" {
		g.refuse(w, refused)
		return
	}
	operations, position := g.book.since(after, limit)
	page := struct {
		Operations []*Operation `json:"operations"`
		// Next is what to pass as after to read on. There may be nothing yet.
		Next int64 `json:"next"`
	}{operations, after}
	if n := len(operations); n > 0 {
		page.Next = operations[n-1].Seq
	}
	g.answer(w, http.StatusOK, page, position)
}

// conclude answers with the intent or with the refusal.
func (g *Gateway) conclude(w http.ResponseWriter, intent *Intent, refused refusal, position journal.Position) {
	if refused.Code == "" {
		g.answer(w, http.StatusOK, intent, position)
		return
	}
	g.answer(w, refused.Status, problem{refused.Code, refused.Message, intent}, position)
}

// refuse answers with what is not kept and depends on nothing kept.
func (g *Gateway) refuse(w http.ResponseWriter, refused refusal) { g.conclude(w, nil, refused, 0) }

// answer writes the body once all it may be derived from is durable.
func (g *Gateway) answer(w http.ResponseWriter, status int, body any, position journal.Position) {
	if err := g.book.journal.Wait(position); err != nil {
		g.config.Logger.Error("the ledger cannot be written; restart the gateway", slog.Any("error", err))
		status = refuseUnavailable.Status
		body = problem{Code: refuseUnavailable.Code, Message: refuseUnavailable.Message}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		g.config.Logger.Error("an answer cannot be encoded", slog.Any("error", err))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // fails only if the caller has left; the answer is kept for it
}

// pause waits, and reports whether it waited to the end.
func (g *Gateway) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.closing:
		return false
	}
}
