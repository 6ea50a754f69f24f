package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Definition is the table of contents of a service: everything that makes it this service and no other.
type Definition[I work.Input[S, E], S, E any] struct {
	// Name is also that of the consumer group, and "/quadrille/<Name>" the source of its events.
	Name string
	// Title of the HTTP API, such as "Orders".
	Title string
	// Migrations of the service's own tables.
	Migrations fs.FS
	// Publishes and Consumes are the event types that it writes and reads.
	Publishes, Consumes []serde.Type
	// Unlogged names the consumed topics whose events change nothing if they come late or again.
	Unlogged map[string]bool

	// Load, Save and Publish are those of work.Service.
	Load    func(ctx context.Context, tx *sqldb.Tx, inputs []I) (S, error)
	Save    func(ctx context.Context, tx *sqldb.Tx, state S, facts []work.Fact[E]) error
	Publish func(E) (event.Event, bool)
	// Input is that of kafka.Decoder.
	Input func(e event.Event, arrived time.Time) (in I, wanted bool, err error)

	// Routes registers the operations of the HTTP API.
	Routes func(api huma.API, p *Parts[I, S, E])
	// Due lists what fell due, as work.Timers asks. Nil: the service has no timers.
	Due func(ctx context.Context, db *sqldb.DB, now time.Time, limit int) ([]work.Message[I], error)
	// Background makes what else runs beside the unit of work, such as outside calls. Nil: nothing. It must not block.
	Background func(p *Parts[I, S, E]) []func(context.Context) error
}

// Parts are what a running service is made of.
type Parts[I work.Input[S, E], S, E any] struct {
	Config    Config
	DB        *sqldb.DB
	Unit      *work.Unit[I, S, E]
	Telemetry *telemetry.Telemetry
}

// Run runs a service until ctx ends, and returns nil after a clean stop. It waits for what it needs, saying for what,
// and serves its probes meanwhile.
func Run[I work.Input[S, E], S, E any](ctx context.Context, cfg Config, def Definition[I, S, E]) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{Service: def.Name, Version: cfg.Version, LogLevel: cfg.LogLevel})
	if err != nil {
		return err
	}
	defer func() {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = tel.Shutdown(flush)
	}()
	if cfg.Logger != nil {
		tel.Logger = cfg.Logger.With("service", def.Name)
	}
	listener, err := listen(cfg.HTTPAddr, "the HTTP API of "+def.Name, "QUADRILLE_HTTP_ADDR")
	if err != nil {
		return err
	}
	defer listener.Close()

	health := newHealth(def.Name, cfg, tel)
	return health.serve(ctx, func(ctx context.Context) error {
		err := run(ctx, cfg, def, tel, health, listener)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // stopped while it waited for something
		}
		return err
	})
}

func run[I work.Input[S, E], S, E any](ctx context.Context, cfg Config, def Definition[I, S, E],
	tel *telemetry.Telemetry, health *health, listener net.Listener) error {
	db, err := openDatabase(ctx, cfg, health, def.Migrations)
	if err != nil {
		return err
	}
	defer func() {
		if err := db.Close(); err != nil {
			tel.Logger.Warn("close the database", "error", err)
		}
	}()

	registry, err := serde.NewClient(cfg.RegistryURL)
	if err != nil {
		return err
	}
	var codec *serde.Codec
	err = health.await(ctx, "schemas", func() (err error) {
		codec, err = serde.New(ctx, registry, append(append([]serde.Type{}, def.Publishes...), def.Consumes...))
		return err
	})
	if err != nil {
		return err
	}

	brokers := kafka.Config{
		Brokers: cfg.Brokers, ClientID: "quadrille-" + def.Name, Logger: tel.Logger, Options: cfg.KafkaOptions,
	}
	adminClient, err := kafka.NewClient(brokers)
	if err != nil {
		return err
	}
	defer adminClient.Close()
	admin := kadm.NewClient(adminClient)
	consumed, published := topics(def.Consumes), topics(def.Publishes)
	err = health.await(ctx, "topics", func() error { return kafka.Check(ctx, admin, append(consumed, published...)) })
	if err != nil {
		return err
	}

	meter := tel.Meter.Meter("quadrille")
	workMetrics, err1 := work.NewMetrics(meter)
	kafkaMetrics, err2 := kafka.NewMetrics(meter)
	outboxMetrics, err3 := outbox.NewMetrics(meter)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}

	unit := work.New(work.Service[I, S, E]{
		Name: def.Name, Load: def.Load, Save: def.Save, Publish: def.Publish, Encode: encoder(codec),
	}, db, work.Config{Clock: cfg.Clock, Logger: tel.Logger, Metrics: workMetrics})
	relay := outbox.NewRelay(db, outbox.Config{
		Topics:    published,
		NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) { return kafka.NewClient(brokers, opts...) },
		Logger:    tel.Logger, Metrics: outboxMetrics,
	})
	unit.OnCommit(func([]work.Fact[E]) { relay.Wake() })

	decoder := &kafka.Decoder[I]{
		Codec: codec, Input: def.Input, Unlogged: def.Unlogged, Clock: cfg.Clock, Metrics: kafkaMetrics,
	}
	parts := &Parts[I, S, E]{Config: cfg, DB: db, Unit: unit, Telemetry: tel}
	mux, api := httpapi.New(httpapi.Config{
		Title: def.Title, Version: cfg.Version, Logger: tel.Logger, Tracer: tel.Tracer, Meter: tel.Meter,
	})
	def.Routes(api, parts)

	// In the order in which they stop: whatever feeds the unit, the unit, what it feeds.
	stages := []stage{{"HTTP API", func(ctx context.Context) error {
		return httpapi.Serve(ctx, listener, mux, cfg.Drain)
	}}}
	if def.Due != nil {
		progress := kafka.NewProgress(admin, def.Name, consumed, cfg.Stall)
		timers := work.Timers[I]{
			Due: func(ctx context.Context, now time.Time, limit int) ([]work.Message[I], error) {
				return def.Due(ctx, db, now, limit)
			},
			Horizon: progress.Horizon, Do: unit.Do, Clock: cfg.Clock, Logger: tel.Logger,
		}
		stages = append(stages, stage{"timers", timers.Run})
	}
	if def.Background != nil {
		for i, fn := range def.Background(parts) {
			stages = append(stages, stage{fmt.Sprintf("background %d", i), fn})
		}
	}
	if len(consumed) > 0 {
		consumer, err := kafka.NewConsumer(kafka.ConsumerConfig[I]{
			Config: brokers, Group: def.Name, Topics: consumed, Decode: decoder.Decode, Take: unit.Take,
			Metrics: kafkaMetrics, GiveBack: cfg.Drain / 2,
		})
		if err != nil {
			return err
		}
		health.check("consumer", consumer.Err)
		stages = append(stages, stage{"consumer", consumer.Run})
	}
	health.check("relay", relay.Err)
	health.check("database", func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return db.Ping(ctx)
	})
	stages = append(stages, stage{"unit of work", unit.Run}, stage{"relay", relay.Run})
	tel.Logger.Info("started", "http", listener.Addr().String(), "version", cfg.Version)
	return runStages(ctx, stages)
}

// openDatabase waits for the database, then migrates it or, if that is another's job, for its migration.
func openDatabase(ctx context.Context, cfg Config, health *health, own fs.FS) (*sqldb.DB, error) {
	var db *sqldb.DB
	err := health.await(ctx, "database", func() (err error) {
		db, err = sqldb.Open(ctx, cfg.DatabaseURL)
		return err
	})
	if err != nil {
		return nil, err
	}
	tables := []struct {
		name string
		fs   fs.FS
	}{{"work", work.Migrations()}, {"outbox", outbox.Migrations()}, {"service", own}}
	err = health.await(ctx, "migration", func() error {
		for _, t := range tables {
			if cfg.Migrate {
				if err := sqldb.Migrate(ctx, db, t.fs, t.name); err != nil {
					return err
				}
				continue
			}
			pending, err := sqldb.Pending(ctx, db, t.fs, t.name)
			if err != nil {
				return err
			}
			if len(pending) > 0 {
				return fmt.Errorf("the database lacks the migrations %v of %s; run the migration job", pending, t.name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func encoder(codec *serde.Codec) func(*event.Event) ([]byte, error) {
	return func(e *event.Event) ([]byte, error) {
		t, ok := codec.TypeOf(e.Data)
		if !ok {
			return nil, fmt.Errorf("%T is no type that this service publishes", e.Data)
		}
		e.Type, e.Topic = t.Name, t.Topic
		return codec.Append(nil, e.Data)
	}
}

// topics of types, each once.
func topics(types []serde.Type) []string {
	var names []string
	seen := make(map[string]bool)
	for _, t := range types {
		if !seen[t.Topic] {
			seen[t.Topic] = true
			names = append(names, t.Topic)
		}
	}
	return names
}

// listen names the port, what wanted it and the cure when it is taken.
func listen(addr, what, variable string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s: %w; stop what listens there, or set %s",
			what, addr, err, variable)
	}
	return listener, nil
}
