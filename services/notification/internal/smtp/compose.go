package smtp

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// addressSize is the longest address that a mail server has to take, in bytes (RFC 5321 with its erratum 1690).
const addressSize = 254

// orderHeader names the order in a header of its own.
const orderHeader gomail.Header = "X-Order-ID"

// errAddress says that no mail can reach an address. It does not repeat it.
var errAddress = errors.New("the address cannot be written to")

// compose makes the mail of a call, the same to the letter each time.
func (c *Client) compose(call mail.Call) (*gomail.Msg, error) {
	to, err := recipient(call.To)
	if err != nil {
		return nil, err
	}
	written, err := c.writer.Write(call)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(c.from)
	m.ToMailAddress(to)
	m.SetMessageIDWithValue(call.MessageID)
	m.SetDateWithValue(call.Date.UTC())
	m.Subject(written.Subject)
	m.SetGenHeader(orderHeader, call.OrderID)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers it
	m.SetBodyString(gomail.TypeTextPlain, written.Text)
	return m, nil
}

// recipient takes one bare address: no name, no comment, nothing that would begin a new line.
func recipient(text string) (*netmail.Address, error) {
	if len(text) > addressSize {
		return nil, fmt.Errorf("%w: it has %d bytes", errAddress, len(text))
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) {
			return nil, fmt.Errorf("%w: it holds %q", errAddress, r)
		}
	}
	to, err := netmail.ParseAddress(text)
	if err != nil || to.Address != text {
		return nil, errAddress // the parser's error would repeat it
	}
	return to, nil
}
