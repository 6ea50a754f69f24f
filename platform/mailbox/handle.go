package mailbox

import (
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	page    = 1_000
	pageMax = 10_000
)

// refusal is any answer but success.
type refusal struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

var (
	refuseNotFound = refusal{http.StatusNotFound, "not_found", "There is no such resource."}
	refusePage     = refusal{
		http.StatusUnprocessableEntity, "invalid_request", "limit must be from 1 to 10000, after an id.",
	}
	refuseUnavailable = refusal{
		http.StatusServiceUnavailable, "temporarily_unavailable", "The mailbox cannot answer at present.",
	}
)

// list answers with mails, the newest last, without their texts.
func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	after, limit, ok := readPage(query.Get("after"), query.Get("limit"))
	if !ok {
		m.refuse(w, refusePage)
		return
	}
	to, order := query.Get("to"), query.Get("order_id")
	found, err := m.book.find(after, limit, func(mail *Mail) bool {
		return (to == "" || mail.isTo(to)) && (order == "" || mail.OrderID == order)
	})
	if err != nil {
		m.fail(w, err)
		return
	}
	answer := struct {
		Mails []Mail `json:"mails"`
		// Next is what to pass as after to read on. There may be nothing yet.
		Next int64 `json:"next"`
	}{make([]Mail, len(found)), after}
	for i, mail := range found {
		answer.Mails[i] = *mail
		answer.Mails[i].Text, answer.Mails[i].Headers = "", nil
		answer.Next = mail.ID
	}
	m.answer(w, http.StatusOK, answer)
}

func (m *Mailbox) get(w http.ResponseWriter, r *http.Request) {
	if mail := m.find(w, r); mail != nil {
		m.answer(w, http.StatusOK, mail)
	}
}

// raw answers with the mail's bytes, as text that no browser takes for anything else.
func (m *Mailbox) raw(w http.ResponseWriter, r *http.Request) {
	mail := m.find(w, r)
	if mail == nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(mail.raw) // fails only if the reader has left
}

// find returns the mail that the path names; nil: the request has been answered.
func (m *Mailbox) find(w http.ResponseWriter, r *http.Request) *Mail {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		m.refuse(w, refuseNotFound)
		return nil
	}
	found, err := m.book.find(id-1, 1, func(*Mail) bool { return true })
	switch {
	case err != nil:
		m.fail(w, err)
	case len(found) == 0 || found[0].ID != id:
		m.refuse(w, refuseNotFound)
	default:
		return found[0]
	}
	return nil
}

func readPage(after, limit string) (id int64, n int, ok bool) {
	n = page
	var err error
	if after != "" {
		if id, err = strconv.ParseInt(after, 10, 64); err != nil || id < 0 {
			return 0, 0, false
		}
	}
	if limit != "" {
		if n, err = strconv.Atoi(limit); err != nil || n < 1 || n > pageMax {
			return 0, 0, false
		}
	}
	return id, n, true
}

func (m *Mailbox) refuse(w http.ResponseWriter, r refusal) { m.answer(w, r.Status, r) }

// fail answers a request whose answer may not be durable.
func (m *Mailbox) fail(w http.ResponseWriter, err error) {
	m.config.Logger.Error("mails cannot be kept; restart the mailbox", slog.Any("error", err))
	m.refuse(w, refuseUnavailable)
}

func (m *Mailbox) answer(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // mails hold any bytes
	if err != nil {
		m.config.Logger.Error("an answer cannot be encoded", slog.Any("error", err))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // fails only if the reader has left
}
