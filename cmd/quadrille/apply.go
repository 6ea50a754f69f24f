package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/schemas"
)

// applyEvery is the pause between two attempts.
const applyEvery = time.Second

type applyCommand struct {
	Brokers  []string `help:"Kafka brokers to start from." env:"QUADRILLE_KAFKA_BROKERS" default:"127.0.0.1:9092"`
	Registry string   `help:"Schema registry." env:"QUADRILLE_REGISTRY_URL" default:"http://127.0.0.1:8091"`
	// Databases are those that are migrated too.
	Databases map[string]string `help:"Migrate the database of a service, such as order=postgres://…" env:"QUADRILLE_APPLY_DATABASES" placeholder:"NAME=URL;..."`
	Wait      time.Duration     `help:"How long to try again while a server is away or slow." default:"0s"`
	JSON      bool              `help:"Print what was done as JSON."`
}

// Run may be repeated.
func (c applyCommand) Run(ctx context.Context) error {
	created, err := c.untilDone(ctx)
	if err != nil {
		return c.cure(err)
	}
	migrated := keys(c.Databases)
	if c.JSON {
		registered := make([]string, 0, len(schemas.Records()))
		for _, r := range schemas.Records() {
			registered = append(registered, serde.Type(r).Subject())
		}
		return json.NewEncoder(os.Stdout).Encode(map[string][]string{
			"topics_created": append([]string{}, created...), "subjects_registered": registered,
			"databases_migrated": append([]string{}, migrated...),
		})
	}
	if len(created) == 0 {
		fmt.Println("topics: all there")
	} else {
		fmt.Println("topics created:", strings.Join(created, ", "))
	}
	fmt.Println("schemas: registered, compatibility FULL_TRANSITIVE")
	if len(migrated) > 0 {
		fmt.Println("databases migrated:", strings.Join(migrated, ", "))
	}
	return nil
}

// untilDone tries as long as it may, for a server may be away or slow. What a registry refuses it refuses again.
func (c applyCommand) untilDone(ctx context.Context) (created []string, err error) {
	for deadline := time.Now().Add(c.Wait); ; {
		some, err := c.once(ctx)
		created = append(created, some...)
		if err == nil || errors.Is(err, serde.ErrIncompatible) || !time.Now().Before(deadline) {
			return created, err
		}
		fmt.Fprintln(os.Stderr, "quadrille: tries again:", err)
		select {
		case <-ctx.Done():
			return created, err
		case <-time.After(applyEvery):
		}
	}
}

// cure names the flag that would have helped, unless somebody has to change something first.
func (c applyCommand) cure(err error) error {
	answer, answered := errors.AsType[*sr.ResponseError](err)
	if c.Wait > 0 || errors.Is(err, context.Canceled) || errors.Is(err, serde.ErrIncompatible) ||
		kafka.IsRefused(err) || sqldb.IsRefused(err) || answered && answer.StatusCode < http.StatusInternalServerError {
		return err
	}
	return fmt.Errorf("%w (if the servers are about to start, --wait 1m tries again)", err)
}

// once makes topics, schemas and tables as they are to be.
func (c applyCommand) once(ctx context.Context) (created []string, err error) {
	if created, err = apply(ctx, c.Brokers, c.Registry); err != nil {
		return created, err
	}
	for _, name := range keys(c.Databases) {
		if err := migrate(ctx, name, c.Databases[name]); err != nil {
			return created, err
		}
	}
	return created, nil
}

// migrate brings the database of a service up to date, by the service itself.
func migrate(ctx context.Context, name, url string) error {
	err := runService(ctx, name, loadFrom(map[string]string{
		"QUADRILLE_DATABASE_URL": url, "QUADRILLE_MIGRATE_ONLY": "true",
	}))
	if err != nil {
		return fmt.Errorf("migrate the database of %s: %w", name, err)
	}
	return nil
}

// apply makes the contracts true: every topic of the catalogue exists and every schema is registered.
func apply(ctx context.Context, brokers []string, registryURL string) (created []string, err error) {
	if created, err = applyTopics(ctx, brokers); err != nil {
		return nil, err
	}
	registry, err := serde.NewClient(registryURL)
	if err != nil {
		return nil, err
	}
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	return created, serde.Register(ctx, registry, types)
}

// applyTopics creates the topics of the catalogue that are missing, and returns their names.
func applyTopics(ctx context.Context, brokers []string) (created []string, err error) {
	client, err := kafka.NewClient(kafka.Config{Brokers: brokers, ClientID: "quadrille-apply"})
	if err != nil {
		return nil, err
	}
	defer client.Close()

	var topics []kafka.Topic
	for _, t := range schemas.Topics() {
		config := map[string]string{"cleanup.policy": "delete"}
		if t.Compacted {
			config["cleanup.policy"] = "compact"
		} else {
			config["retention.ms"] = strconv.FormatInt(t.Retention.Milliseconds(), 10)
		}
		if t.MaxBytes > 0 {
			config["max.message.bytes"] = strconv.Itoa(t.MaxBytes)
		}
		topics = append(topics, kafka.Topic{Name: t.Name, Partitions: int32(t.Partitions), Config: config})
	}
	created, err = kafka.Apply(ctx, kadm.NewClient(client), topics)
	return created, kafka.Explain(client, err)
}
