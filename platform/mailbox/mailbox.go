// Package mailbox is a mail server that delivers nothing: it takes every mail, keeps the newest, and shows them over
// HTTP. The addresses in address.go misbehave, for tests. Nothing is answered before it is durable.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/quadrille-platform/quadrille/platform/internal/folder"
	"github.com/quadrille-platform/quadrille/platform/internal/serve"
)

const name = "mailbox"

// Limits of what is taken and kept.
const (
	mailSize   = 256 << 10 // bytes of a mail
	recipients = 50        // of a mail
	keepMails  = 10_000    // the newest
	keepBytes  = 64 << 20  // of them together
)

// Limits of an SMTP connection.
const (
	commandTime = 5 * time.Minute // for the next command
	writeTime   = 10 * time.Second
	drainTime   = 5 * time.Second // for sessions to end after Close
)

// Config says where the mailbox listens, what it keeps, and how it behaves.
type Config struct {
	// SMTPAddr is the host and port that takes mails; port 0 takes a free one. Defaults to 127.0.0.1:0.
	SMTPAddr string
	// Addr is the host and port that shows them over HTTP. Defaults to 127.0.0.1:0.
	Addr string
	// Data is the folder of the mails, created if need be. Defaults to none: they are kept in memory.
	Data string
	// Listen opens the ports; tests put a network in memory here. Defaults to net.Listen.
	Listen func(network, address string) (net.Listener, error)
	// Slow is how long a mail to slow@… takes. Defaults to 2 s.
	Slow time.Duration
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
	// Logger receives what goes wrong. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.SMTPAddr == "" {
		c.SMTPAddr = "127.0.0.1:0"
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Slow == 0 {
		c.Slow = 2 * time.Second
	}
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Mailbox takes mails and shows them.
type Mailbox struct {
	config   Config
	book     *book
	http     *serve.Server
	smtp     *smtp.Server
	smtpAddr string
	lines    *lines
	done     chan struct{} // closed when SMTP is not served any more
	smtpErr  error         // why, if not by Close; read after done

	closing chan struct{} // closed by Close: releases the sessions that wait on purpose
	close   func() error
}

// Start returns a mailbox that answers on both addresses until Close.
func Start(config Config) (_ *Mailbox, err error) {
	config = config.withDefaults()
	if config.Slow < 0 {
		return nil, fmt.Errorf("%s: Slow is %v, want a positive duration", name, config.Slow)
	}
	var undo []func() error
	defer func() {
		if err != nil {
			for _, fn := range undo {
				err = errors.Join(err, fn())
			}
		}
	}()
	smtpListener, err := serve.ListenOn(config.Listen, config.SMTPAddr, name)
	if err != nil {
		return nil, err
	}
	undo = append(undo, smtpListener.Close)
	httpListener, err := serve.ListenOn(config.Listen, config.Addr, name+"'s page")
	if err != nil {
		return nil, err
	}
	undo = append(undo, httpListener.Close)
	release, err := folder.Own(config.Data, name)
	if err != nil {
		return nil, err
	}
	undo = append(undo, release)
	book, err := openBook(config.Data, config.Clock)
	if err != nil {
		return nil, fmt.Errorf("open the mails of the %s: %w", name, err)
	}

	m := &Mailbox{
		config: config, book: book, smtpAddr: smtpListener.Addr().String(), lines: newLines(smtpListener),
		done: make(chan struct{}), closing: make(chan struct{}),
	}
	m.close = sync.OnceValue(func() error { return errors.Join(m.stop(), book.close(), release()) })
	m.http = serve.Start(httpListener, m.routes(), config.Logger)
	m.smtp = m.server()
	go func() {
		defer close(m.done)
		if err := m.smtp.Serve(m.lines); err != nil && !errors.Is(err, net.ErrClosed) {
			m.smtpErr = fmt.Errorf("serve SMTP on %s: %w", m.smtpAddr, err)
		}
	}()
	return m, nil
}

// Run answers on both addresses until ctx ends, and returns nil after a clean end.
func Run(ctx context.Context, config Config) error {
	m, err := Start(config)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-m.http.Done():
	case <-m.done:
	}
	return m.Close()
}

// Addr returns the host and port that shows the mails over HTTP.
func (m *Mailbox) Addr() string { return m.http.Addr() }

// SMTPAddr returns the host and port that takes mails.
func (m *Mailbox) SMTPAddr() string { return m.smtpAddr }

// Close ends the SMTP sessions, lets HTTP requests in work finish and closes the journal. Further calls return what the
// first returned. A sender whose mail was not answered cannot know whether it was taken, as with any mail server.
func (m *Mailbox) Close() error { return m.close() }

func (m *Mailbox) stop() error {
	close(m.closing)
	served := m.http.Close()
	// Shutdown closes only a listener that Serve has come to know, and right after Start it may not yet have.
	closed := m.lines.Close()
	<-m.done // no more connections
	m.lines.hangUp()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	drained := m.smtp.Shutdown(ctx) // waits for the sessions, and closes the listener once more
	if errors.Is(drained, net.ErrClosed) {
		drained = nil
	}
	return errors.Join(m.smtpErr, closed, drained, served)
}

func (m *Mailbox) server() *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{mailbox: m, conn: c}, nil
	}))
	s.Domain = name
	s.MaxMessageBytes, s.MaxRecipients = mailSize, recipients
	s.ReadTimeout, s.WriteTimeout = commandTime, writeTime
	s.EnableSMTPUTF8 = true
	// A client that leaves in the middle is no fault of ours.
	s.ErrorLog = slog.NewLogLogger(m.config.Logger.Handler(), slog.LevelDebug)
	return s
}

func (m *Mailbox) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/mails", m.list)
	mux.HandleFunc("GET /v1/mails/{id}", m.get)
	mux.HandleFunc("GET /v1/mails/{id}/raw", m.raw)
	mux.HandleFunc("GET /{$}", m.index)
	mux.HandleFunc("GET /mails/{id}", m.show)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { m.refuse(w, refuseNotFound) })
	return mux
}

// lines are a listener's open connections.
type lines struct {
	net.Listener
	mu   sync.Mutex
	open map[*lineConn]struct{}
}

type lineConn struct {
	net.Conn
	lines *lines
}

func newLines(l net.Listener) *lines { return &lines{Listener: l, open: make(map[*lineConn]struct{})} }

func (l *lines) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &lineConn{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	return c, nil
}

func (c *lineConn) Close() error {
	c.lines.mu.Lock()
	delete(c.lines.open, c)
	c.lines.mu.Unlock()
	return c.Conn.Close()
}

// hangUp closes every connection, which ends its session.
func (l *lines) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		_ = c.Conn.Close() // its session closes it once more
	}
}
