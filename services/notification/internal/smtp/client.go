// Package smtp hands mails to a mail server. It tells what the server has answered for good from what it has not: a
// refused connection, a timeout or a temporary refusal is an error, which says that the mail is to be sent again.
package smtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/quadrille-platform/quadrille/services/notification/internal/letter"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// ErrUnknown is wrapped by every error of Send: whether the server has taken the mail, or ever will, is not known.
var ErrUnknown = errors.New("the mail server gave no final answer")

// ErrAway is wrapped by an error of Send if the server as a whole is away: it cannot be reached, does not greet or log
// in, says that it closes, or refuses us whatever the mail is. It wraps ErrUnknown.
var ErrAway = fmt.Errorf("%w: it is away", ErrUnknown)

// maxIdle is how many connections are kept for the next mails, each for at most maxIdleTime.
const (
	maxIdle     = 8
	maxIdleTime = 30 * time.Second
)

// SMTP codes.
const (
	closing      = 421 // the server closes, whatever was asked
	authRequired = 530 // it wants a login first
)

// TLS says how the way to the server is protected.
type TLS string

// The ways.
const (
	TLSNone          TLS = "none"          // in the clear
	TLSOpportunistic TLS = "opportunistic" // STARTTLS if the server offers it
	TLSMandatory     TLS = "mandatory"     // STARTTLS or nothing
	TLSImplicit      TLS = "implicit"      // TLS from the first byte, as on port 465
)

// Config of a Client.
type Config struct {
	// Addr is the mail server's host and port.
	Addr string
	// From is the sender, such as Quadrille <orders@quadrille.example>. What follows its @ ends the Message-IDs.
	From string
	// User and Password are sent if User is not empty. Without TLS no password goes out readable, but to this machine.
	User, Password string
	// TLS defaults to TLSNone.
	TLS TLS
	// Dial connects to the server. Defaults to net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds the sending of a mail, connection included. Defaults to 5 s.
	Timeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.TLS == "" {
		c.TLS = TLSNone
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return c
}

// Client sends mails. It is safe for concurrent use.
type Client struct {
	cfg    Config
	host   string
	from   *netmail.Address
	writer *letter.Writer

	mu   sync.Mutex
	idle []*line // the one used last at the end
}

// New returns a Client that has not reached the server yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	c := &Client{cfg: cfg}
	host, port, err := net.SplitHostPort(cfg.Addr)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" || n < 1 || n > 65_535 {
		return nil, fmt.Errorf("the mail server's address is %q; it must be host:port", cfg.Addr)
	}
	c.host = host
	if c.from, err = netmail.ParseAddress(cfg.From); err != nil || !isDomain(DomainOf(cfg.From)) {
		return nil, fmt.Errorf("the sender is %q; it must be an address such as Shop <orders@shop.example>", cfg.From)
	}
	switch cfg.TLS {
	case TLSNone, TLSOpportunistic, TLSMandatory, TLSImplicit:
	default:
		return nil, fmt.Errorf("the mail server's TLS is %q; it is none, opportunistic, mandatory or implicit", cfg.TLS)
	}
	if c.writer, err = letter.NewWriter(); err != nil {
		return nil, err
	}
	return c, nil
}

// Send hands a mail to the server and returns Sent or Refused, which are final. On an error, which wraps ErrUnknown,
// the server may have taken the mail or not: it is to be sent again, and is then the same to the letter, Message-ID
// included. Errors name neither the address nor what the server said, which may repeat it.
func (c *Client) Send(ctx context.Context, call mail.Call) (mail.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	m, err := c.compose(call)
	if errors.Is(err, errAddress) {
		return mail.Refused, nil // no server takes it, today or later
	}
	if err != nil {
		return "", err
	}
	for {
		l, err := c.take(ctx)
		if err != nil {
			return "", fmt.Errorf("connect: %w: %w", ErrAway, err)
		}
		err = l.send(ctx, m)
		if err == nil {
			c.give(l)
			return mail.Sent, nil
		}
		_ = l.conn.Close() // whatever state it is in
		failed, ok := errors.AsType[*gomail.SendError](err)
		switch {
		case !ok:
			return "", fmt.Errorf("send: %w", ErrUnknown)
		case failed.Reason == gomail.ErrConnCheck && l.used && ctx.Err() == nil:
			continue // the server has closed it meanwhile; the mail has not been begun
		case failed.ErrorCode()/100 == 5 && !isAboutUs(failed):
			return mail.Refused, nil
		case failed.Reason == gomail.ErrConnCheck, failed.ErrorCode() == closing, failed.ErrorCode()/100 == 5:
			return "", fmt.Errorf("%s: %w: code %d", failed.Reason, ErrAway, failed.ErrorCode())
		}
		return "", fmt.Errorf("%s: %w: code %d", failed.Reason, ErrUnknown, failed.ErrorCode())
	}
}

// isAboutUs reports whether a refusal speaks of the sender or of a login that it lacks, not of the mail: it goes once
// the configuration is put right.
func isAboutUs(refusal *gomail.SendError) bool {
	return refusal.Reason == gomail.ErrSMTPMailFrom || refusal.ErrorCode() == authRequired
}

// Close closes the connections that no mail uses.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	var closing sync.WaitGroup
	for _, l := range idle {
		closing.Go(l.close)
	}
	closing.Wait()
}

// take returns the idle connection that was used last, or a new one.
func (c *Client) take(ctx context.Context) (*line, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		l.used = true
		return l, nil
	}
	c.mu.Unlock()
	return c.dial(ctx)
}

// give keeps a connection for the next mail, and closes those that nobody needed for long. It says no goodbye there: a
// mail that is sent does not wait for one to be answered.
func (c *Client) give(l *line) {
	l.since = time.Now()
	c.mu.Lock()
	c.idle = append(c.idle, l)
	n := max(0, len(c.idle)-maxIdle)
	for n < len(c.idle) && time.Since(c.idle[n].since) > maxIdleTime {
		n++
	}
	old := c.idle[:n:n]
	c.idle = c.idle[n:]
	c.mu.Unlock()
	for _, l := range old {
		_ = l.conn.Close()
	}
}

// DomainOf returns the domain of a sender such as Shop <orders@shop.example>, empty if there is none.
func DomainOf(from string) string {
	address, err := netmail.ParseAddress(from)
	if err != nil {
		return ""
	}
	return address.Address[strings.LastIndexByte(address.Address, '@')+1:]
}

// isDomain reports whether a Message-ID can end with it.
func isDomain(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' {
			return false
		}
	}
	return text != "" && text[0] != '.' && text[len(text)-1] != '.' && !strings.Contains(text, "..")
}
