package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

type applyCommand struct {
	Brokers  []string `help:"Kafka brokers to start from." env:"QUADRILLE_KAFKA_BROKERS" default:"127.0.0.1:9092"`
	Registry string   `help:"Schema registry." env:"QUADRILLE_REGISTRY_URL" default:"http://127.0.0.1:8091"`
	JSON     bool     `help:"Print what was done as JSON."`
}

// Run may be repeated.
func (c applyCommand) Run(ctx context.Context) error {
	created, err := apply(ctx, c.Brokers, c.Registry)
	if err != nil {
		return err
	}
	if c.JSON {
		registered := make([]string, 0, len(schemas.Records()))
		for _, r := range schemas.Records() {
			registered = append(registered, serde.Type(r).Subject())
		}
		return json.NewEncoder(os.Stdout).Encode(map[string][]string{
			"topics_created": append([]string{}, created...), "subjects_registered": registered,
		})
	}
	if len(created) == 0 {
		fmt.Println("topics: all there")
	} else {
		fmt.Println("topics created:", strings.Join(created, ", "))
	}
	fmt.Println("schemas: registered, compatibility FULL_TRANSITIVE")
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
	return kafka.Apply(ctx, kadm.NewClient(client), topics)
}
