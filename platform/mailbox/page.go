package mailbox

import (
	"bytes"
	_ "embed" // for the page
	"html/template"
	"log/slog"
	"net/http"
	"sync"
)

// shown is how many mails the page lists.
const shown = 200

//go:embed page.html
var pageText string

var pages = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(pageText) })

// index lists the newest mails, the newest first.
func (m *Mailbox) index(w http.ResponseWriter, _ *http.Request) {
	found, err := m.book.newest(shown)
	if err != nil {
		m.fail(w, err)
		return
	}
	m.write(w, "list", found)
}

// show shows one mail.
func (m *Mailbox) show(w http.ResponseWriter, r *http.Request) {
	if mail := m.find(w, r); mail != nil {
		m.write(w, "mail", mail)
	}
}

// write shows a page. Whatever a mail says stays text: the template escapes it, and the browser is told to run, load
// and frame nothing.
func (m *Mailbox) write(w http.ResponseWriter, name string, data any) {
	var body bytes.Buffer
	templates, err := pages()
	if err == nil {
		err = templates.ExecuteTemplate(&body, name, data)
	}
	if err != nil {
		m.config.Logger.Error("a page cannot be written", slog.Any("error", err))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(body.Bytes()) // fails only if the reader has left
}
