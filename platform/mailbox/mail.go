package mailbox

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Mail as it was taken. What its sender got wrong is empty.
type Mail struct {
	ID         int64     `json:"id"` // from 1, in the order of arrival
	ReceivedAt time.Time `json:"received_at"`
	// From and To are those of the envelope, not of the headers.
	From      string    `json:"from"`
	To        []string  `json:"to"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"` // without angle brackets
	OrderID   string    `json:"order_id"`   // the header X-Order-ID
	Date      time.Time `json:"date,omitzero"`
	Size      int       `json:"size"` // bytes
	// Text and Headers are shown of one mail, not of many.
	Text    string              `json:"text,omitzero"`
	Headers map[string][]string `json:"headers,omitzero"` // as they were sent

	raw []byte
}

// partDepth bounds how deep parts of parts are looked for a text.
const partDepth = 5

// read makes of a mail's bytes what can be made of them.
func read(raw []byte) *Mail {
	m := &Mail{Size: len(raw), raw: raw}
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	m.Subject = decode(message.Header.Get("Subject"))
	m.MessageID = strings.Trim(message.Header.Get("Message-Id"), "<> ")
	m.OrderID = message.Header.Get("X-Order-Id")
	if date, err := message.Header.Date(); err == nil {
		m.Date = date.UTC()
	}
	m.Headers = message.Header
	m.Text = text(textproto.MIMEHeader(message.Header), message.Body, partDepth)
	return m
}

func decode(header string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		return header
	}
	return decoded
}

// text is the first part that is plain text.
func text(header textproto.MIMEHeader, body io.Reader, depth int) string {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	switch {
	case strings.HasPrefix(kind, "multipart/") && depth > 0:
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return ""
			}
			if found := text(part.Header, part, depth-1); found != "" {
				return found
			}
		}
	case kind != "text/plain":
		return ""
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	decoded, _ := io.ReadAll(body) // what can be read of it
	return strings.ReplaceAll(strings.ToValidUTF8(string(decoded), "\ufffd"), "\r\n", "\n")
}

// isTo reports whether the mail went to an address.
func (m *Mail) isTo(address string) bool {
	return slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, address) })
}
