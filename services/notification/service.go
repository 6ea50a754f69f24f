// Package notification is the service that tells customers what became of their orders. It mails them when an order is
// confirmed, when it is cancelled and when money is given back, one mail after another. The mail server is reached by
// calls outside of any transaction; see calls.go.
//
// A mail goes out once, unless the mail server's answer did not reach our commit: then it is sent again, the same to
// the letter and under the same Message-ID.
package notification

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/notification/internal/api"
	"github.com/quadrille-platform/quadrille/services/notification/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/smtp"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

// Name of the service, of its consumer group and of its database.
const Name = "notification"

// maxTimeout keeps leases, which follow from it, short: after a crash nobody sends a mail before its lease ran out.
const maxTimeout = time.Minute

// Config of the service.
type Config struct {
	service.Config
	// SMTPAddr is the mail server. Defaults to 127.0.0.1:1025.
	SMTPAddr string `env:"SMTP_ADDR" envDefault:"127.0.0.1:1025"`
	// SMTPUser is who logs in there. Without one nobody does.
	SMTPUser string `env:"SMTP_USER"`
	// SMTPPassword is the password of that user.
	SMTPPassword string `env:"SMTP_PASSWORD" secret:"true"`
	// SMTPTLS is how the connection is encrypted: none, opportunistic (STARTTLS if it is offered), mandatory (STARTTLS
	// or nothing) or implicit (TLS from the first byte). Defaults to none.
	SMTPTLS string `env:"SMTP_TLS" envDefault:"none"`
	// SMTPTimeout bounds the sending of a mail, at most 1 min. A mail is leased for three times as long: those of a
	// process that was killed are sent after at most that. Defaults to 5 s.
	SMTPTimeout time.Duration `env:"SMTP_TIMEOUT" envDefault:"5s"`
	// MailFrom is the sender. What follows its @ ends the Message-IDs; an order keeps those it was placed under.
	// Defaults to Quadrille <orders@quadrille.example>.
	MailFrom string `env:"MAIL_FROM" envDefault:"Quadrille <orders@quadrille.example>"`
	// MailLimit is how many mails are sent at a time. Defaults to 16.
	MailLimit int `env:"MAIL_LIMIT" envDefault:"16"`
	// MailGiveUpAfter is for how long a mail is tried, with pauses that grow to 30 s. One that is due for longer is not
	// sent any more. Defaults to 24 h.
	MailGiveUpAfter time.Duration `env:"MAIL_GIVE_UP_AFTER" envDefault:"24h"`
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	c.Config = c.Config.WithDefaults("127.0.0.1:8084", "127.0.0.1:9084", "sqlite:data/notification.db")
	if c.SMTPAddr == "" {
		c.SMTPAddr = "127.0.0.1:1025"
	}
	if c.SMTPTLS == "" {
		c.SMTPTLS = string(smtp.TLSNone)
	}
	if c.SMTPTimeout == 0 {
		c.SMTPTimeout = 5 * time.Second
	}
	if c.MailFrom == "" {
		c.MailFrom = "Quadrille <orders@quadrille.example>"
	}
	if c.MailLimit == 0 {
		c.MailLimit = 16
	}
	if c.MailGiveUpAfter == 0 {
		c.MailGiveUpAfter = 24 * time.Hour
	}
	return c
}

func (c Config) validate() error {
	if c.SMTPTimeout < 0 || c.SMTPTimeout > maxTimeout {
		return fmt.Errorf("QUADRILLE_SMTP_TIMEOUT is %s; it must be between 0 and %s", c.SMTPTimeout, maxTimeout)
	}
	if c.MailLimit < 0 {
		return fmt.Errorf("QUADRILLE_MAIL_LIMIT is %d; it must be positive", c.MailLimit)
	}
	if c.MailGiveUpAfter < 0 {
		return fmt.Errorf("QUADRILLE_MAIL_GIVE_UP_AFTER is %s; it must be positive", c.MailGiveUpAfter)
	}
	if _, err := c.client(); err != nil {
		return fmt.Errorf("QUADRILLE_SMTP_ADDR, QUADRILLE_SMTP_TLS and QUADRILLE_MAIL_FROM: %w", err)
	}
	return nil
}

func (c Config) client() (*smtp.Client, error) {
	return smtp.New(smtp.Config{
		Addr: c.SMTPAddr, From: c.MailFrom, User: c.SMTPUser, Password: c.SMTPPassword, TLS: smtp.TLS(c.SMTPTLS),
		Timeout: c.SMTPTimeout, Dial: c.Dial,
	})
}

// Run runs the service until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.WithDefaults()
	if err := cfg.validate(); err != nil {
		return err
	}
	return service.Run(ctx, cfg.Config, Definition(cfg))
}

// Definition is the service's table of contents.
func Definition(cfg Config) service.Definition[store.Message, *store.State, mail.Event] {
	return service.Definition[store.Message, *store.State, mail.Event]{
		Name:       Name,
		Title:      "Notifications",
		Migrations: store.Migrations(),
		Publishes:  service.Owned(schemas.Records(), Name),
		Consumes: service.Types(schemas.Records(), "OrderPlaced", "OrderConfirmed", "OrderCancelled",
			"PaymentRefunded"),
		Load:    store.Load,
		Save:    store.Save,
		Publish: kafka.Publish,
		Input:   input(smtp.DomainOf(cfg.MailFrom)),
		Routes:  api.Register,
		Background: func(p *api.Parts) []func(context.Context) error {
			return []func(context.Context) error{calls(p, cfg)}
		},
	}
}

// input keeps, beside what an event asks of the domain, the request that it goes back to.
func input(domain string) func(e event.Event, arrived time.Time) (store.Message, bool, error) {
	translate := kafka.Input(domain)
	return func(e event.Event, arrived time.Time) (store.Message, bool, error) {
		m, wanted, err := translate(e, arrived)
		origin := store.Origin{Correlation: e.Cause.Correlation, Trace: e.Cause.Trace}
		return store.Message{Message: m, Origin: origin}, wanted, err
	}
}
