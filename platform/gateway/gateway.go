// Package gateway is a payment gateway shaped as card processors are: a payment intent is opened under the caller's
// reference, then authorized, captured, cancelled or refunded, each under an idempotency key whose final answer is kept
// and repeated. It moves no money; the tokens in token.go decide how a card behaves.
//
// Cancel is a fence: once it is acknowledged, no authorization or capture of that intent can succeed, however long it
// has been on its way. Nothing is answered before it is durable.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/platform/internal/folder"
	"github.com/quadrille-platform/quadrille/platform/internal/serve"
)

const name = "payment gateway"

// Config says where the gateway listens, what it keeps, and how it behaves.
type Config struct {
	// Addr is the host and port to listen on; port 0 takes a free one. Defaults to 127.0.0.1:0.
	Addr string
	// Data is the folder of the ledger, created if need be. Defaults to none: everything is kept in memory.
	Data string
	// Slow is how long an authorization of tok_slow takes. Defaults to 2 s.
	Slow time.Duration
	// AuthorizationTTL is how long an authorization can be captured. Defaults to 7 days.
	AuthorizationTTL time.Duration
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
	// Logger receives what goes wrong. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Slow == 0 {
		c.Slow = 2 * time.Second
	}
	if c.AuthorizationTTL == 0 {
		c.AuthorizationTTL = 7 * 24 * time.Hour
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	if c.Slow < 0 {
		return fmt.Errorf("%s: Slow is %v, want a positive duration", name, c.Slow)
	}
	if c.AuthorizationTTL < 0 {
		return fmt.Errorf("%s: AuthorizationTTL is %v, want a positive duration", name, c.AuthorizationTTL)
	}
	return nil
}

// Gateway answers the gateway's HTTP requests.
type Gateway struct {
	config Config
	book   *book
	mux    *http.ServeMux
	server *serve.Server // nil unless it was made by Start

	closing chan struct{} // closed by Close: releases the requests that wait on purpose
	close   func() error
}

// Open returns a gateway that listens nowhere, for callers with a server of their own. Config.Addr is not used.
func Open(config Config) (*Gateway, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	release, err := folder.Own(config.Data, "gateway")
	if err != nil {
		return nil, err
	}
	path := ""
	if config.Data != "" {
		path = filepath.Join(config.Data, "ledger.journal")
	}
	book, err := openBook(path, config)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger of the %s: %w", name, err), release())
	}

	g := &Gateway{config: config, book: book, closing: make(chan struct{})}
	g.mux = g.routes()
	g.close = sync.OnceValue(func() error {
		close(g.closing)
		var served error
		if g.server != nil {
			served = g.server.Close()
		}
		return errors.Join(served, book.journal.Close(), release())
	})
	return g, nil
}

// Start returns a gateway that answers on Config.Addr until Close.
func Start(config Config) (*Gateway, error) {
	config = config.withDefaults()
	listener, err := serve.Listen(config.Addr, name)
	if err != nil {
		return nil, err
	}
	g, err := Open(config)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	g.server = serve.Start(listener, g, config.Logger)
	return g, nil
}

// Run answers on Config.Addr until ctx ends, and returns nil after a clean end.
func Run(ctx context.Context, config Config) error {
	g, err := Start(config)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-g.server.Done():
	}
	return g.Close()
}

// Addr returns the host and port the gateway answers on, empty if it was made by Open.
func (g *Gateway) Addr() string {
	if g.server == nil {
		return ""
	}
	return g.server.Addr()
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// Close ends the requests that wait on purpose with 503, lets the others finish, and closes the ledger. Further calls
// return what the first returned.
func (g *Gateway) Close() error { return g.close() }

func (g *Gateway) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/payment_intents", g.open)
	mux.HandleFunc("GET /v1/payment_intents", g.find)
	mux.HandleFunc("GET /v1/payment_intents/{id}", g.get)
	mux.HandleFunc("GET /v1/payment_intents/{id}/attempts", g.getAttempts)
	mux.HandleFunc("POST /v1/payment_intents/{id}/authorize", g.authorize)
	mux.HandleFunc("POST /v1/payment_intents/{id}/capture", g.capture)
	mux.HandleFunc("POST /v1/payment_intents/{id}/cancel", g.cancel)
	mux.HandleFunc("POST /v1/payment_intents/{id}/refund", g.refund)
	mux.HandleFunc("GET /v1/ledger", g.ledger)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { g.refuse(w, refuseNotFound) })
	return mux
}
