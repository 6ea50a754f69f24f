package mailbox

import (
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

var (
	refusedMailbox = &smtp.SMTPError{
		Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "There is no such mailbox",
	}
	busyMailbox = &smtp.SMTPError{
		Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "The mailbox is busy, try again",
	}
	unavailable = &smtp.SMTPError{
		Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "The mailbox cannot answer at present",
	}
)

// session is one SMTP connection: one mail after another.
type session struct {
	mailbox *Mailbox
	conn    *smtp.Conn
	from    string
	to      []string
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = from, nil
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch localOf(to) {
	case localRefused:
		return refusedMailbox
	case localSilent:
		s.mailbox.pause(silence)
		_ = s.conn.Conn().Close() // so that what is returned is never read
		return unavailable
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the mail. It is answered once it is durable.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r) // at most mailSize, which the server holds
	if err != nil {
		return err
	}
	mail := read(raw)
	if s.includes(localBusy) && s.mailbox.book.putOff(mail.MessageID) {
		return busyMailbox
	}
	// It goes on when the sender has left, as a mail server does: the mail that is sent again for want of an answer is
	// the one that its Message-ID is there for.
	if s.includes(localSlow) && !s.mailbox.pause(s.mailbox.config.Slow) {
		return unavailable
	}
	mail.From, mail.To = s.from, s.to
	if err := s.mailbox.book.add(mail); err != nil {
		s.mailbox.config.Logger.Error("mails cannot be kept; restart the mailbox", slog.Any("error", err))
		return unavailable
	}
	return nil
}

// Reset forgets the mail that was begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

func (s *session) includes(local string) bool {
	return slices.ContainsFunc(s.to, func(to string) bool { return localOf(to) == local })
}

// pause waits, and reports whether it waited to the end.
func (m *Mailbox) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-m.closing:
		return false
	}
}
