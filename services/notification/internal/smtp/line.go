package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const (
	// checkTime is how long the server may take to say that a connection that was idle is still there.
	checkTime = time.Second
	// goodbyeTime is how long it may take to answer a goodbye.
	goodbyeTime = time.Second
)

// line is a connection to the mail server, for one mail at a time.
type line struct {
	client *gomail.Client
	conn   net.Conn
	used   bool      // for a mail before this one
	since  time.Time // idle
}

// dial returns a connection that is greeted and, if asked for, protected and authenticated. What goes wrong here says
// nothing about the mail, whichever code the server gives.
func (c *Client) dial(ctx context.Context) (*line, error) {
	l := &line{}
	release := func() bool { return true }
	// The library has an address of its own making, which no IPv6 host is reached by.
	hold := func(dialing context.Context, network, _ string) (conn net.Conn, err error) {
		conn, err = c.cfg.Dial(dialing, network, c.cfg.Addr)
		if err == nil && c.cfg.TLS == TLSImplicit {
			conn, err = handshake(dialing, conn, c.host)
		}
		l.conn = conn
		if err != nil {
			return nil, err // not the nil pointer in conn
		}
		release = context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a greeting that nobody waits for
		return conn, nil
	}
	options := []gomail.Option{
		gomail.WithTimeout(c.cfg.Timeout), gomail.WithTLSPolicy(c.policy()), gomail.WithDialContextFunc(hold),
		gomail.WithoutRset(), gomail.WithHELO(DomainOf(c.cfg.From)),
	}
	if c.cfg.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(c.cfg.User), gomail.WithPassword(c.cfg.Password))
	}
	client, err := gomail.NewClient(c.host, options...)
	if err != nil {
		return nil, err
	}
	l.client = client
	err = client.DialWithContext(ctx)
	release()
	if err != nil {
		if l.conn != nil {
			_ = l.conn.Close() // which the library leaves open
		}
		return nil, err
	}
	return l, nil
}

// handshake encrypts a connection from its first byte. On an error the connection is closed.
func handshake(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	encrypted := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}

// policy of STARTTLS. Where TLS is there already, the library finds that out only if it may look for it.
func (c *Client) policy() gomail.TLSPolicy {
	switch c.cfg.TLS {
	case TLSMandatory:
		return gomail.TLSMandatory
	case TLSOpportunistic, TLSImplicit:
		return gomail.TLSOpportunistic
	default:
		return gomail.NoTLS
	}
}

// send sends one mail, which ends with ctx.
func (l *line) send(ctx context.Context, m *gomail.Msg) error {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.Close() })
	defer stop()
	if l.used { // the deadline of the mail before still stands; the library sets another once the server is there
		_ = l.conn.SetDeadline(time.Now().Add(checkTime))
	}
	err := l.client.Send(m)
	if m.IsDelivered() {
		return nil // what comes after the server has taken it does not matter
	}
	return err
}

// close says goodbye.
func (l *line) close() {
	_ = l.conn.SetDeadline(time.Now().Add(goodbyeTime))
	_ = l.client.Close() // the connection is not needed any more, whatever the answer
	_ = l.conn.Close()
}
