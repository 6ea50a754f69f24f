package demo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// mailReceived: the customer hears of the confirmation, then of the cancellation and of the money that comes back, one
// mail after another.
func mailReceived(s *scene) {
	tea := s.stocked(5)
	bought := client.Buy("tok_visa", client.Line{SKU: tea, Quantity: 2})
	bought.Email = "demo-" + s.trace + "@example.com"
	o, err := s.Place(s.ctx, bought)
	s.check(err)
	_, err = s.Completed(s.ctx, o.ID)
	s.check(err)
	_, err = s.Cancel(s.ctx, o.ID, "One cup is enough")
	s.check(err)
	o = s.ends(o.ID, cancelledAfter)

	mails, err := s.Mails(s.ctx, o.ID)
	s.check(err)
	mails = distinct(mails)
	for i, word := range []string{tea, "One cup is enough", "10.00 EUR"} {
		mail, err := s.ReadMail(s.ctx, mails[i].ID)
		s.check(err)
		if !slices.Equal(mail.To, []string{bought.Email}) || mail.Subject == "" || mail.Date.IsZero() {
			s.fail("mail %d is %+v", i+1, mail)
		}
		for _, want := range []string{o.ID, word} {
			if !strings.Contains(mail.Text, want) {
				s.fail("mail %d lacks %q: %s", i+1, want, mail.Text)
			}
		}
	}
	s.levels(tea, 5, 0)
	s.saw("%d mails: %s", len(mails), strings.Join(cancelledAfter.mails, ", "))
}

// told checks that the customer of an order got its mails, in order and each once, and that Kafka and the notification
// service say so. A mail may come twice if the server's answer got lost, with the same Message-ID.
func (e ending) told(s *scene, orderID string) error {
	mails, err1 := s.Mails(s.ctx, orderID)
	notifications, err2 := s.Notifications(s.ctx, orderID)
	if err := firstOf(err1, err2); err != nil {
		return err
	}
	sent, err := sentOf(s.tape.about(orderID))
	if err != nil {
		return err
	}
	return mailed(e.mails, mails, notifications, sent)
}

// sentOf returns the Message-IDs that NotificationSent tells of, by the kind of the mail.
func sentOf(records []record) (map[string]string, error) {
	events, err := once(records)
	sent := make(map[string]string)
	for _, e := range events {
		if e.Topic != "notification.events" {
			continue
		}
		n, isSent := e.Data.(*schemas.NotificationSent)
		if !isSent || sent[string(n.Kind)] != "" {
			return nil, fmt.Errorf("one %s on Kafka is too many", e.Kind)
		}
		sent[string(n.Kind)] = n.MessageID
	}
	return sent, err
}

func mailed(want []string, mails []client.Mail, notifications []client.Notification, sent map[string]string) error {
	arrived := distinct(mails)
	if len(arrived) != len(want) || len(notifications) != len(want) || len(sent) != len(want) {
		return fmt.Errorf("%d mails arrived, %d are noted, Kafka has %d: %v are wanted", len(arrived),
			len(notifications), len(sent), want)
	}
	for i, kind := range want {
		n := slices.IndexFunc(notifications, func(n client.Notification) bool { return n.Kind == kind })
		if n < 0 || notifications[n].Status != "sent" {
			return fmt.Errorf("no %s was sent: %+v", kind, notifications)
		}
		noted, published := strings.Trim(notifications[n].MessageID, "<>"), strings.Trim(sent[kind], "<>")
		if got := messageID(arrived[i]); got != noted || published != noted {
			return fmt.Errorf("mail %d, of the %s, is %q, noted as %q, on Kafka as %q", i+1, kind, got, noted,
				published)
		}
	}
	return nil
}

// distinct leaves out mails that came before.
func distinct(mails []client.Mail) (first []client.Mail) {
	for _, m := range mails {
		if !slices.ContainsFunc(first, func(f client.Mail) bool { return messageID(f) == messageID(m) }) {
			first = append(first, m)
		}
	}
	return first
}

func messageID(m client.Mail) string { return strings.Trim(m.MessageID, "<>") }
