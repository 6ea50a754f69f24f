// Package letter puts mails into words.
package letter

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

//go:embed templates/*.txt
var files embed.FS

// maxLines is how many lines of an order a letter lists. The others are counted.
const maxLines = 100

// Sizes of what others wrote, in characters. What is longer is cut.
const (
	skuSize    = 64
	detailSize = 500
)

// Letter is the text of a mail.
type Letter struct {
	Subject string
	Text    string // lines end in LF
}

// Writer writes letters from the templates in this folder. It may be used concurrently.
type Writer struct{ templates *template.Template }

// NewWriter parses the templates.
func NewWriter() (*Writer, error) {
	templates, err := template.New("letters").Funcs(template.FuncMap{
		"money": money, "reason": reason,
		"sku":    func(text string) string { return clean(text, skuSize) },
		"detail": func(text string) string { return clean(text, detailSize) },
	}).ParseFS(files, "templates/*.txt")
	if err != nil {
		return nil, fmt.Errorf("templates of letters: %w", err)
	}
	return &Writer{templates}, nil
}

// Write returns the letter of a mail. The same mail is put into the same words each time.
func (w *Writer) Write(call mail.Call) (Letter, error) {
	var text bytes.Buffer
	err := w.templates.ExecuteTemplate(&text, string(call.Kind)+".txt", struct {
		mail.Call
		More int
	}{first(call, maxLines), max(0, len(call.Lines)-maxLines)})
	if err != nil {
		return Letter{}, fmt.Errorf("write a letter: %w", err)
	}
	subject, body, _ := strings.Cut(text.String(), "\n\n") // of every template, a paragraph of its own comes first
	return Letter{Subject: subject, Text: body}, nil
}

func first(call mail.Call, lines int) mail.Call {
	call.Lines = call.Lines[:min(len(call.Lines), lines)]
	return call
}

// reason says in plain words why an order was cancelled.
func reason(r mail.Reason) string {
	switch r {
	case mail.ReasonOutOfStock:
		return "something you ordered is not in stock any more"
	case mail.ReasonPaymentDeclined:
		return "your payment was declined"
	case mail.ReasonPaymentFailed:
		return "your payment could not be collected"
	case mail.ReasonTimedOut:
		return "we could not complete it in time"
	case mail.ReasonCustomerRequest:
		return "you asked us to cancel it"
	default:
		return "we are not able to carry it out"
	}
}
