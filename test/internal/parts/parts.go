// Package parts starts the servers that the platform runs on in production, without containers: Apache Kafka, Apicurio
// Registry, PostgreSQL, Jaeger and Toxiproxy. Tests, and `make real-up`, use it.
package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	pollEvery    = 50 * time.Millisecond
	answerWithin = 5 * time.Second
)

// services have a database each.
var services = []string{"order", "inventory", "payment", "notification"}

// Config says what to start.
type Config struct {
	// Store keeps what is fetched.
	Store Store
	// Nodes of Kafka. Defaults to 1.
	Nodes int
	// Logs is the folder of what the parts say.
	Logs string
	// Progress is told what takes time. Defaults to nobody.
	Progress io.Writer
}

// Parts are servers that run. Those that were given are not ours, and nil here.
type Parts struct {
	// Addresses of all, whoever started them.
	Addresses Addresses
	Kafka     *Kafka
	Registry  *Registry
	Postgres  *Postgres
	Jaeger    *Jaeger
	Toxiproxy *Toxiproxy

	data string
}

// Start starts the parts whose addresses are not given, and returns once all answer. Nothing is left running after an
// error.
func Start(ctx context.Context, cfg Config, given Addresses) (_ *Parts, err error) {
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	cfg.Store.Progress = cfg.Progress
	p := &Parts{Addresses: given}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Stop())
		}
	}()
	if cfg.Logs, err = filepath.Abs(cfg.Logs); err != nil {
		return nil, fmt.Errorf("folder of the logs: %w", err)
	}
	if err := os.MkdirAll(cfg.Logs, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the logs: %w", err)
	}
	if p.data, err = os.MkdirTemp("", "quadrille-parts-"); err != nil {
		return nil, fmt.Errorf("temporary folder: %w", err)
	}
	if err := os.Chmod(p.data, 0o755); err != nil { // PostgreSQL may run as another user
		return nil, fmt.Errorf("temporary folder: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.startKafka(ctx, cfg) })
	g.Go(func() error {
		if err := p.startPostgres(ctx, cfg); err != nil {
			return err
		}
		return p.startRegistry(ctx, cfg)
	})
	g.Go(func() error { return p.startJaeger(ctx, cfg) })
	g.Go(func() error { return p.startToxiproxy(ctx, cfg) })
	return p, g.Wait()
}

// Stop stops what was started, and removes its data.
func (p *Parts) Stop() error {
	var errs []error
	if p.Toxiproxy != nil {
		errs = append(errs, p.Toxiproxy.Stop())
	}
	if p.Jaeger != nil {
		errs = append(errs, p.Jaeger.Stop())
	}
	if p.Registry != nil {
		errs = append(errs, p.Registry.Stop())
	}
	if p.Kafka != nil {
		errs = append(errs, p.Kafka.Stop())
	}
	if p.Postgres != nil {
		errs = append(errs, p.Postgres.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(p.data))...)
}
