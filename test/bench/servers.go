package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

// serviceNames are those of the services, of their databases and of their consumer groups.
var serviceNames = []string{"order", "inventory", "payment", "notification"}

// servers are what production runs on: one node of Kafka, PostgreSQL and the schema registry, all our own.
type servers struct {
	dir      string
	kafka    *parts.Kafka
	postgres *parts.Postgres
	registry *parts.Registry
	// databases of the services, made anew for each round.
	databases map[string]parts.Database
	// pids of Kafka and of the registry, by the name in reports; postmaster is PostgreSQL's.
	pids       map[string]int
	postmaster int
}

// startServers starts them, and none is left running after an error.
func startServers(ctx context.Context, cfg config) (s *servers, err error) {
	s = &servers{databases: make(map[string]parts.Database), pids: make(map[string]int)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	logs, err := filepath.Abs(cfg.logs)
	if err != nil {
		return s, err
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "quadrille-bench-"); err != nil {
		return s, err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // PostgreSQL may run as another user
		return s, err
	}
	store := parts.Store{Dir: cfg.store, Progress: os.Stderr}
	s.kafka, err = parts.StartKafka(ctx, parts.KafkaConfig{
		Store: store, Data: filepath.Join(s.dir, "kafka"), Logs: logs,
	})
	if err != nil {
		return s, err
	}
	if s.postgres, err = parts.StartPostgres(ctx, filepath.Join(s.dir, "postgres")); err != nil {
		return s, err
	}
	database, err := parts.CreateDatabase(ctx, s.postgres.URL(), "registry")
	if err != nil {
		return s, err
	}
	s.registry, err = parts.StartRegistry(ctx, parts.RegistryConfig{Store: store, Database: database, Logs: logs})
	if err != nil {
		return s, err
	}
	return s, errors.Join(s.durable(ctx), s.find())
}

func (s *servers) stop() error {
	var errs []error
	if s.registry != nil {
		errs = append(errs, s.registry.Stop())
	}
	if s.kafka != nil {
		errs = append(errs, s.kafka.Stop())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// durable prints what PostgreSQL says of its own durability, and fails if a commit does not wait for the disk.
func (s *servers) durable(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL())
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return fmt.Errorf("ask PostgreSQL for %s: %w", name, err)
		}
		fmt.Printf("PostgreSQL: %s %s\n", name, value)
		if name != "server_version" && value != "on" {
			return fmt.Errorf("PostgreSQL has %s %s, which measures something else", name, value)
		}
	}
	return nil
}

// empty makes topics and databases anew, so that no round finds what another has left.
func (s *servers) empty(ctx context.Context, cfg config) error {
	var topics []string
	for _, t := range schemas.Topics() {
		topics = append(topics, t.Name)
	}
	if err := parts.Reset(ctx, s.brokers(), topics, serviceNames); err != nil {
		return err
	}
	var migrated []string
	for _, name := range serviceNames {
		if err := parts.DropDatabase(ctx, s.postgres.URL(), name); err != nil {
			return err
		}
		d, err := parts.CreateDatabase(ctx, s.postgres.URL(), name)
		if err != nil {
			return err
		}
		s.databases[name] = d
		migrated = append(migrated, name+"="+d.URL())
	}
	// It may be repeated, and a registry that has just started may take longer than it waits.
	return client.Until(ctx, "topics, schemas and tables", func() error {
		return execute(ctx, cfg.binary, "apply", "--brokers", s.brokers(), "--registry", s.registryURL(),
			"--databases", strings.Join(migrated, ";"))
	})
}

// analyze tells PostgreSQL how large the tables have become. Plans that it made while they were nearly empty would
// otherwise stay, up to a minute, until it looks by itself.
func (s *servers) analyze(ctx context.Context) error {
	for _, d := range s.databases {
		conn, err := pgx.Connect(ctx, d.URL())
		if err != nil {
			return fmt.Errorf("connect to database %s: %w", d.Name, err)
		}
		_, err = conn.Exec(ctx, "ANALYZE")
		_ = conn.Close(ctx)
		if err != nil {
			return fmt.Errorf("analyze database %s: %w", d.Name, err)
		}
	}
	return nil
}

func (s *servers) brokers() string { return strings.Join(s.kafka.Addrs(), ",") }

func (s *servers) registryURL() string { return "http://" + s.registry.Base() }
