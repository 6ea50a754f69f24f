package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/smtp"
	"time"
)

// post sends mails over connections that stay open.
type post struct {
	addr string
	idle chan *smtp.Client
}

const sender = "orders@" + mailDomain

func newPost(addr string) *post { return &post{addr: addr, idle: make(chan *smtp.Client, mailCalls)} }

func (p *post) perform(_ context.Context, c call) (*message, error) {
	var client *smtp.Client
	select {
	case client = <-p.idle:
	default:
		var err error
		if client, err = smtp.Dial(p.addr); err != nil {
			return nil, err
		}
	}
	if err := p.send(client, c.log); err != nil {
		return nil, err
	}
	p.idle <- client
	return &message{digest: digest([]byte("sent"))}, nil
}

func (p *post) send(client *smtp.Client, l mailLog) error {
	var lines []line
	if err := json.Unmarshal([]byte(l.lines), &lines); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "Date: %s\r\nMIME-Version: 1.0\r\nMessage-ID: <%s>\r\nSubject: Your order is confirmed\r\n"+
		"Auto-Submitted: auto-generated\r\nFrom: \"Quadrille\" <%s>\r\nTo: <%s>\r\n"+
		"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"+
		"Hello,\r\n\r\nthank you. Your order %s is confirmed:\r\n\r\n",
		l.mail.created.Format(time.RFC1123Z), messageID(l.id), sender, l.address, l.id)
	for _, line := range lines {
		fmt.Fprintf(&text, "  %d =C3=97 %s, %.2f %s each\r\n", line.Quantity, line.SKU, float64(line.UnitPrice)/100,
			l.currency)
	}
	fmt.Fprintf(&text, "\r\nTotal: %.2f %s\r\n", float64(l.total)/100, l.currency)
	if err := client.Mail(sender); err != nil {
		return err
	}
	if err := client.Rcpt(l.address); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return err
	}
	return w.Close()
}
