package parts

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// tell says that a part is ready.
func (c Config) tell(part string, began time.Time, where string) {
	fmt.Fprintf(c.Progress, "%-10s ready after %5.1f s at %s\n", part, time.Since(began).Seconds(), where)
}

func (p *Parts) startKafka(ctx context.Context, cfg Config) (err error) {
	if p.Addresses.Kafka != "" {
		return nil
	}
	if _, err := cfg.Store.Kafka(ctx); err != nil { // whose time is not Kafka's
		return err
	}
	began := time.Now()
	p.Kafka, err = StartKafka(ctx, KafkaConfig{
		Store: cfg.Store, Nodes: cfg.Nodes, Data: filepath.Join(p.data, "kafka"), Logs: cfg.Logs,
	})
	if err != nil {
		return err
	}
	p.Addresses.Kafka = strings.Join(p.Kafka.Addrs(), ",")
	cfg.tell("Kafka", began, p.Addresses.Kafka)
	return nil
}

func (p *Parts) startPostgres(ctx context.Context, cfg Config) (err error) {
	if p.Addresses.Postgres != "" {
		return nil
	}
	began := time.Now()
	if p.Postgres, err = StartPostgres(ctx, filepath.Join(p.data, "postgres")); err != nil {
		return err
	}
	p.Addresses.Postgres, p.Addresses.Databases = p.Postgres.URL(), make(map[string]string)
	for _, name := range services {
		database, err := CreateDatabase(ctx, p.Addresses.Postgres, name)
		if err != nil {
			return err
		}
		p.Addresses.Databases[name] = database.URL()
	}
	cfg.tell("PostgreSQL", began, p.Addresses.Postgres)
	return nil
}

func (p *Parts) startRegistry(ctx context.Context, cfg Config) error {
	if p.Addresses.Registry != "" {
		return nil
	}
	if _, err := cfg.Store.Registry(ctx); err != nil { // whose time is not the registry's
		return err
	}
	began := time.Now()
	const name = "quadrille_test_registry"
	if err := DropDatabase(ctx, p.Addresses.Postgres, name); err != nil { // on a server that was given
		return err
	}
	database, err := CreateDatabase(ctx, p.Addresses.Postgres, name)
	if err != nil {
		return err
	}
	p.Registry, err = StartRegistry(ctx, RegistryConfig{Store: cfg.Store, Database: database, Logs: cfg.Logs})
	if err != nil {
		return err
	}
	p.Addresses.Registry = p.Registry.Base()
	cfg.tell("Apicurio", began, "http://"+p.Addresses.Registry)
	return nil
}

func (p *Parts) startJaeger(ctx context.Context, cfg Config) (err error) {
	if p.Addresses.OTLP != "" || p.Addresses.Jaeger != "" {
		return nil
	}
	if _, err := cfg.Store.Jaeger(ctx); err != nil { // whose time is not Jaeger's
		return err
	}
	began := time.Now()
	if p.Jaeger, err = StartJaeger(ctx, cfg.Store, p.data, cfg.Logs); err != nil {
		return err
	}
	p.Addresses.Jaeger, p.Addresses.OTLP = p.Jaeger.Addr, p.Jaeger.OTLPHTTP
	cfg.tell("Jaeger", began, "http://"+p.Addresses.Jaeger+", which takes traces at "+p.Addresses.OTLP)
	return nil
}

func (p *Parts) startToxiproxy(ctx context.Context, cfg Config) (err error) {
	if p.Addresses.Toxiproxy != "" {
		return nil
	}
	if _, err := cfg.Store.Toxiproxy(ctx); err != nil { // whose time is not Toxiproxy's
		return err
	}
	began := time.Now()
	if p.Toxiproxy, err = StartToxiproxy(ctx, cfg.Store, cfg.Logs); err != nil {
		return err
	}
	p.Addresses.Toxiproxy = p.Toxiproxy.Addr
	cfg.tell("Toxiproxy", began, p.Addresses.Toxiproxy)
	return nil
}
