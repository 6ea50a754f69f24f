package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// drains is how many times Config.Drain a service may take to stop. Requests, batches and outside calls drain side by
// side; the rest is for what they have begun.
const drains = 2

// Definition is the table of contents of a service: everything that makes it this service and no other.
type Definition[I work.Input[S, E], S, E any] struct {
	// Name is also that of the consumer group, and "/quadrille/<Name>" the source of its events.
	Name string
	// Title of the HTTP API, such as "Orders".
	Title string
	// Migrations of the service's own tables.
	Migrations fs.FS
	// Publishes and Consumes are the event types that it writes and reads. It must own the first, see Owned, and be a
	// granted consumer of the second: a service that oversteps the catalogue does not start.
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
	// Admin registers operations for operators, on paths below /admin/v1/, which the admin listener serves beside those
	// that every service has. Nil: none. What changes something embeds httpapi.Operated in its input.
	Admin func(api huma.API, p *Parts[I, S, E])
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
	// Codec knows what the service publishes and reads.
	Codec *serde.Codec
	// Kafka makes a client of the brokers, which it does not wait for.
	Kafka func(...kgo.Opt) (*kgo.Client, error)
}

// Run runs a service until ctx ends, and returns nil after a clean stop. It waits for what it needs, saying for what,
// and answers probes meanwhile. From the moment it listens until database and schemas are there, the API answers 503.
// It takes commands without a broker; what concerns topics begins once they are there.
func Run[I work.Input[S, E], S, E any](ctx context.Context, cfg Config, def Definition[I, S, E]) error {
	if err := errors.Join(cfg.Validate(), failpoint.Arm()); err != nil {
		return err
	}
	if err := granted(def.Name, def.Publishes, def.Consumes); err != nil {
		return err
	}
	if cfg.MigrateOnly {
		return migrateOnly(ctx, cfg, def.Migrations)
	}
	tel, err := telemetry.Start(ctx, telemetry.Config{
		Service: def.Name, Version: cfg.Version, Revision: cfg.Revision, LogLevel: cfg.LogLevel,
		Logger: cfg.Logger,
	})
	if err != nil {
		return err
	}
	defer func() {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = tel.Shutdown(flush)
	}()
	tel.Logger.Info("starting", "version", cfg.Version, "revision", cfg.Revision)
	listener, err := cfg.listen(cfg.HTTPAddr, "the HTTP API of "+def.Name, "QUADRILLE_HTTP_ADDR")
	if err != nil {
		return err
	}
	defer listener.Close() // which the door has done, unless it was never made

	health := newHealth(def.Name, cfg, tel)
	if err := health.observe(tel.Meter.Meter("quadrille")); err != nil {
		return err
	}
	return health.serve(ctx, func(ctx context.Context) error {
		door := newDoor(ctx, listener, cfg.Drain)
		defer door.close()
		err := run(ctx, cfg, def, tel, health, door)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // stopped while it waited for something
		}
		return err
	})
}

func run[I work.Input[S, E], S, E any](ctx context.Context, cfg Config, def Definition[I, S, E],
	tel *telemetry.Telemetry, health *health, door *door) error {
	db, err := openDatabase(ctx, cfg, health, def.Migrations)
	if err != nil {
		return err
	}
	defer func() {
		if err := db.Close(); err != nil {
			tel.Logger.Warn("close the database", "error", err)
		}
	}()

	registry, err := serde.NewClientOver(cfg.transport(), cfg.RegistryURL)
	if err != nil {
		return err
	}
	var codec *serde.Codec
	err = health.await(ctx, partStart, "schemas", func() (err error) {
		codec, err = serde.New(ctx, registry, append(append([]serde.Type{}, def.Publishes...), def.Consumes...))
		return cfg.registryCure(err)
	})
	if err != nil {
		return err
	}
	if err := codec.Unlearnt(); err != nil {
		tel.Logger.Warn("not all schemas of the topics were read; an event of another asks the registry", "error", err)
	}

	brokers := kafka.Config{
		Brokers: cfg.Brokers, ClientID: "quadrille-" + def.Name, Logger: tel.Logger, Options: cfg.KafkaOptions,
	}
	asking := brokers
	asking.Logger = slog.New(slog.DiscardHandler) // whoever asks is told, and says so
	adminClient, err := kafka.NewClient(asking)
	if err != nil {
		return err
	}
	defer adminClient.Close()
	admin := kadm.NewClient(adminClient)
	consumed, published := topics(def.Consumes), topics(def.Publishes)
	dead := work.DeadLetterTopic(def.Name)
	used := append(append([]string{dead}, consumed...), published...)
	health.waitFor(partTopics, errors.New("starting"))
	topicsThere := newGate(func(ctx context.Context) error {
		err := health.await(ctx, partTopics, "topics", func() error { return checkTopics(ctx, adminClient, used) })
		if err == nil {
			health.done(partTopics)
		}
		return err
	})

	meter := tel.Meter.Meter("quadrille")
	workMetrics, err1 := work.NewMetrics(meter)
	kafkaMetrics, err2 := kafka.NewMetrics(meter)
	outboxMetrics, err3 := outbox.NewMetrics(meter)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}

	refuse := cfg.Refuse
	if refuse == nil {
		refuse = refusing(def.Name, tel.Logger)
	}
	unit := work.New(work.Service[I, S, E]{
		Name: def.Name, Load: def.Load, Save: def.Save, Publish: def.Publish, Encode: encoder(codec),
	}, db, work.Config{
		Clock: cfg.Clock, Parking: cfg.parking(), Logger: tel.Logger, Metrics: workMetrics,
		Spans: tel.Spans, Refuse: refuse,
	})
	newClient := func(opts ...kgo.Opt) (*kgo.Client, error) { return kafka.NewClient(brokers, opts...) }
	relay := outbox.NewRelay(db, outbox.Config{
		Topics:    append(append([]string{}, published...), dead),
		NewClient: newClient, Explain: kafka.ExplainLoss,
		Logger: tel.Logger, Spans: tel.Spans, Metrics: outboxMetrics,
		MaxRecordBytesOf: map[string]int{dead: maxDeadLetter},
	})
	unit.OnCommit(func([]work.Fact[E]) { relay.Wake() })

	decoder := &kafka.Decoder[I]{
		Codec: codec, Input: def.Input, Unlogged: def.Unlogged, Clock: cfg.Clock, Group: def.Name,
		Spans: tel.Spans, Metrics: kafkaMetrics,
	}
	parts := &Parts[I, S, E]{Config: cfg, DB: db, Unit: unit, Telemetry: tel, Codec: codec, Kafka: newClient}
	mux, api := httpapi.New(httpapi.Config{
		Title: def.Title, Version: cfg.Version, Logger: tel.Logger, Tracer: tel.Tracer, Meter: tel.Meter,
		Limits: httpapi.Limits{Requests: cfg.HTTPLimit, Wait: cfg.HTTPWait, Held: cfg.HTTPHeld},
	})
	def.Routes(api, parts)
	letters, err := work.NewLetters(db, work.LettersConfig{Clock: cfg.Clock, Logger: tel.Logger, Meter: meter})
	if err != nil {
		return err
	}
	pruner, err := work.NewPruner(db, work.PrunerConfig{
		Events: rememberEvents(admin, consumed, def.Unlogged), Unasked: cfg.ParkUnasked,
		Clock: cfg.Clock, Logger: tel.Logger, Meter: meter,
	})
	if err != nil {
		return err
	}

	// What feeds the unit. It stops as one: the consumer leaves its group at once, however long a request takes.
	feeders := []stage{
		{"HTTP API", door.run},
		{"topics", topicsThere.run},
	}
	if def.Due != nil {
		progress := kafka.NewProgress(admin, def.Name, consumed, cfg.Stall)
		timers := work.Timers[I]{
			Due: func(ctx context.Context, now time.Time, limit int) ([]work.Message[I], error) {
				return def.Due(ctx, db, now, limit)
			},
			Horizon: progress.Horizon, Do: unit.Do, Clock: cfg.Clock, Logger: tel.Logger,
		}
		feeders = append(feeders, stage{"timers", timers.Run})
	}
	if def.Background != nil {
		for i, fn := range def.Background(parts) {
			feeders = append(feeders, stage{fmt.Sprintf("background %d", i), fn})
		}
	}
	if len(consumed) > 0 {
		var running atomic.Pointer[kafka.Consumer[I]]
		health.watch("consumer", func() error {
			if consumer := running.Load(); consumer != nil {
				return consumer.Err()
			}
			return errors.New("not started yet")
		})
		// Made only then, for its client joins the group at once.
		feeders = append(feeders, stage{"consumer", topicsThere.then(func(ctx context.Context) error {
			consumer, err := kafka.NewConsumer(kafka.ConsumerConfig[I]{
				Config: brokers, Group: def.Name, Topics: consumed, Decode: decoder.Decode, Take: unit.Take,
				Metrics: kafkaMetrics, GiveBack: cfg.Drain / 2,
			})
			if err != nil {
				return err
			}
			running.Store(consumer)
			return consumer.Run(ctx)
		})})
		parked := work.NewParkingLot(work.ParkingConfig[I]{
			DB: db, Decode: decoder.Again, Retry: unit.Retry, Clock: cfg.Clock, Logger: tel.Logger,
			Owned: func() map[string][]int32 {
				if consumer := running.Load(); consumer != nil {
					return consumer.Owned()
				}
				return nil
			},
		})
		feeders = append(feeders, stage{"parked events", parked.Run}, stage{"gauges of the lag",
			func(ctx context.Context) error { return kafka.ObserveLag(ctx, meter, admin, def.Name, consumed) }})
	}
	health.watch("relay", relay.Err)
	health.check("database", func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return db.Ping(ctx)
	})
	observers := []stage{
		{"gauges", func(ctx context.Context) error { return outbox.Observe(ctx, meter, db) }},
		{"gauges of letters", letters.Observe}, {"pruning", topicsThere.then(pruner.Run)},
	}
	health.operations.set(adminHandler(def, parts, letters, registry))
	door.open(mux) // before it is told that the service has started
	health.done(partStart)
	tel.Logger.Info("started", "http", cfg.HTTPAddr, "version", cfg.Version, "revision", cfg.Revision)
	return runStages(ctx, drains*cfg.Drain, feeders, []stage{{"unit of work", unit.Run}},
		[]stage{{"relay", topicsThere.then(relay.Run)}}, observers)
}
