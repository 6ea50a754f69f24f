package main

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/platform/mailbox"
)

type mailboxCommand struct {
	SMTPAddr string        `help:"Where to take mails." env:"QUADRILLE_MAILBOX_SMTP_ADDR" default:"127.0.0.1:1025"`
	Addr     string        `help:"Where to show them." env:"QUADRILLE_MAILBOX_ADDR" default:"127.0.0.1:8025"`
	Data     string        `help:"Folder of the mails; empty keeps them in memory." env:"QUADRILLE_MAILBOX_DATA" default:"data/mailbox"`
	Slow     time.Duration `help:"How long a mail to slow@… takes." env:"QUADRILLE_MAILBOX_SLOW" default:"2s"`
	Lifeline bool          `hidden:"" help:"Stop when standard input ends."`
}

func (c mailboxCommand) Run(ctx context.Context) error {
	if c.Lifeline {
		ctx = lifeline(ctx)
	}
	return mailbox.Run(ctx, mailbox.Config{SMTPAddr: c.SMTPAddr, Addr: c.Addr, Data: c.Data, Slow: c.Slow})
}

// Help is shown by `quadrille mailbox --help`.
func (mailboxCommand) Help() string {
	return `Runs the mailbox alone: an SMTP server that takes every mail, delivers none and shows them on a page. Mails
to refused@…, busy@…, slow@… and silent@… misbehave as their names say. "quadrille up" has one already.

Examples:

  quadrille mailbox
  quadrille mailbox --smtp-addr 127.0.0.1:11025 --addr 127.0.0.1:18025
  quadrille mailbox --data '' --slow 200ms                 keeps nothing`
}
