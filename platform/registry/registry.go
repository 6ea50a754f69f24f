// Package registry is a schema registry for development and tests: the HTTP API of Confluent's registry, as far as
// Avro needs it, over the in-memory registry of franz-go. Beyond that one it enforces compatibility, and it keeps its
// state: each accepted write is durable before it is answered, and an id, once given to a schema, is never given to
// another.
//
// It holds self-contained Avro schemas only: no references, no import of ids, no modes.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/platform/internal/folder"
	"github.com/quadrille-platform/quadrille/platform/internal/journal"
	"github.com/quadrille-platform/quadrille/platform/internal/serve"
)

const name = "schema registry"

// Config says where the registry listens, what it keeps, and what it lets pass.
type Config struct {
	// Addr is the host and port to listen on; port 0 takes a free one. Defaults to 127.0.0.1:0.
	Addr string
	// Data is the folder of the schemas, created if need be. Defaults to none: everything is kept in memory.
	Data string
	// Compatible returns why data written with the schema writer cannot be read with the schema reader, nil if it can.
	// A schema that cannot be parsed is compatible with nothing, not even with itself. Required.
	Compatible func(reader, writer string) error
	// Level is how a subject's versions must be compatible until somebody configures otherwise. Defaults to
	// FULL_TRANSITIVE.
	Level sr.CompatibilityLevel
	// Logger receives what goes wrong. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Level == 0 {
		c.Level = sr.CompatFullTransitive
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	if c.Compatible == nil {
		return fmt.Errorf("%s: Compatible is missing", name)
	}
	if c.Level < sr.CompatNone || c.Level > sr.CompatFullTransitive {
		return fmt.Errorf("%s: Level %d is unknown", name, c.Level)
	}
	return nil
}

// Registry answers the registry's HTTP requests.
type Registry struct {
	config Config
	mux    *http.ServeMux
	server *serve.Server // nil unless it was made by Start
	close  func() error

	journal *journal.Journal
	mu      sync.RWMutex // held for writing over check, change and journal, so that they are one step
	fake    *srfake.Registry
}

// Open returns a registry that listens nowhere, for callers with a server of their own. Config.Addr is not used.
func Open(config Config) (*Registry, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	release, err := folder.Own(config.Data, "registry")
	if err != nil {
		return nil, err
	}
	path := ""
	if config.Data != "" {
		path = filepath.Join(config.Data, "schemas.journal")
	}

	r := &Registry{config: config, fake: srfake.NewRegistry(srfake.WithGlobalCompat(config.Level))}
	r.mux = r.routes()
	if r.journal, err = journal.Open(path, r.replay); err != nil {
		return nil, errors.Join(fmt.Errorf("open the schemas of the %s: %w", name, err), release())
	}
	r.close = sync.OnceValue(func() error {
		var served error
		if r.server != nil {
			served = r.server.Close()
		}
		return errors.Join(served, r.journal.Close(), release())
	})
	return r, nil
}

// Start returns a registry that answers on Config.Addr until Close.
func Start(config Config) (*Registry, error) {
	config = config.withDefaults()
	listener, err := serve.Listen(config.Addr, name)
	if err != nil {
		return nil, err
	}
	r, err := Open(config)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	r.server = serve.Start(listener, r, config.Logger)
	return r, nil
}

// Run answers on Config.Addr until ctx ends, and returns nil after a clean end.
func Run(ctx context.Context, config Config) error {
	r, err := Start(config)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-r.server.Done():
	}
	return r.Close()
}

// Addr returns the host and port the registry answers on, empty if it was made by Open.
func (r *Registry) Addr() string {
	if r.server == nil {
		return ""
	}
	return r.server.Addr()
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// Close lets requests in work finish and closes the journal. Further calls return what the first returned.
func (r *Registry) Close() error { return r.close() }

func (r *Registry) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /subjects/{subject}/versions", r.register)
	mux.HandleFunc("POST /subjects/{subject}", r.lookup)
	mux.HandleFunc("DELETE /subjects/{subject}", r.deleteSubject)
	mux.HandleFunc("DELETE /subjects/{subject}/versions/{version}", r.deleteVersion)
	mux.HandleFunc("PUT /config", r.configure)
	mux.HandleFunc("PUT /config/{subject}", r.configure)
	mux.HandleFunc("DELETE /config/{subject}", r.unconfigure)
	mux.HandleFunc("POST /compatibility/subjects/{subject}/versions", r.test)
	mux.HandleFunc("POST /compatibility/subjects/{subject}/versions/{version}", r.test)
	mux.HandleFunc("GET /schemas/types", func(w http.ResponseWriter, _ *http.Request) {
		r.answer(w, success([]sr.SchemaType{sr.TypeAvro}), 0)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { r.answer(w, success(struct{}{}), 0) })
	mux.HandleFunc("GET /", r.read)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		r.answer(w, failure(http.StatusMethodNotAllowed, http.StatusMethodNotAllowed,
			"this registry has no such operation"), 0)
	})
	return mux
}
