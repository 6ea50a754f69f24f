//go:build real

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

// patience bounds every wait. It is no expectation.
const patience = 2 * time.Minute

// servers are those of the environment, which `make test-real` gives.
func servers(t *testing.T) parts.Addresses {
	t.Helper()
	a := parts.Given()
	if a.Kafka == "" || a.Registry == "" {
		t.Fatalf("%s and %s are not set: run `make test-real`", parts.KafkaVariable, parts.RegistryVariable)
	}
	return a
}

// quadrille builds the program and returns a function that runs it.
func quadrille(t *testing.T) func(args ...string) (said string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "quadrille")
	if err := binary.Build(path, binary.Quadrille); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		said, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
		return string(said), err
	}
}

// Apply makes topics and subjects as the catalogue has them, and finds them done the second time.
func TestApplyMakesTheContractsTrue(t *testing.T) {
	a, run := servers(t), quadrille(t)
	for range 2 {
		if said, err := run("apply", "--brokers", a.Kafka, "--registry", "http://"+a.Registry); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(a.Kafka, ",")...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, topic := range schemas.Topics() {
		details, err := admin.ListTopics(t.Context(), topic.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(details[topic.Name].Partitions); got != topic.Partitions {
			t.Errorf("%s has %d partitions, want %d", topic.Name, got, topic.Partitions)
		}
		described, err := admin.DescribeTopicConfigs(t.Context(), topic.Name)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"cleanup.policy": "delete"}
		if topic.Compacted {
			want["cleanup.policy"] = "compact"
		} else {
			want["retention.ms"] = strconv.FormatInt(topic.Retention.Milliseconds(), 10)
		}
		if topic.MaxBytes > 0 {
			want["max.message.bytes"] = strconv.Itoa(topic.MaxBytes)
		}
		for _, config := range described[0].Configs {
			if value, ours := want[config.Key]; ours && config.MaybeValue() != value {
				t.Errorf("%s of %s is %s, want %s", config.Key, topic.Name, config.MaybeValue(), value)
			}
		}
	}
	registry := registryAt(t, a)
	for _, r := range schemas.Records() {
		subject := serde.Type(r).Subject()
		if _, err := registry.LookupSchema(t.Context(), subject, sr.Schema{Schema: r.Schema}); err != nil {
			t.Errorf("%s: %v", subject, err)
		}
		for _, level := range registry.Compatibility(t.Context(), subject) {
			if level.Err != nil || level.Level != sr.CompatFullTransitive {
				t.Errorf("compatibility of %s is %s (%v)", subject, level.Level, level.Err)
			}
		}
	}
}

// What is incompatible with a published version the registry refuses; and if it was let in there by other means,
// `quadrille check` says so.
func TestIncompatibleSchemasAreRefused(t *testing.T) {
	a, run := servers(t), quadrille(t)
	if said, err := run("apply", "--brokers", a.Kafka, "--registry", "http://"+a.Registry); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	check := func() (string, error) { return run("check", "--registry", "http://"+a.Registry) }
	if said, err := check(); err != nil {
		t.Fatalf("before: %v\n%s", err, said)
	}
	registry := registryAt(t, a)
	i := slices.IndexFunc(schemas.Records(), func(r schemas.Record) bool { return r.Simple() == "OrderCancelled" })
	cancelled := serde.Type(schemas.Records()[i])
	subject, broken := cancelled.Subject(), sr.Schema{Schema: withRequiredField(t, cancelled.Schema)}

	if answer, err := registry.CheckCompatibility(t.Context(), subject, -1, broken); err != nil || answer.Is {
		t.Errorf("the registry calls it compatible: %+v %v", answer, err)
	}
	_, err := registry.RegisterSchema(t.Context(), subject, broken, -1, -1)
	refusal, ok := errors.AsType[*sr.ResponseError](err)
	if !ok || refusal.StatusCode != http.StatusConflict {
		t.Fatalf("the registry takes it, or says %v", err)
	}

	level(t, registry, subject, sr.CompatNone)
	defer level(t, registry, subject, sr.CompatFullTransitive)
	if _, err := registry.RegisterSchema(t.Context(), subject, broken, -1, -1); err != nil {
		t.Fatal(err)
	}
	let, err := registry.SchemaByVersion(t.Context(), subject, -1)
	if err != nil {
		t.Fatal(err)
	}
	said, err := check()
	if err == nil || !strings.Contains(said, "refused") || !strings.Contains(said, cancelled.Name) {
		t.Errorf("check does not refuse it: %v\n%s", err, said)
	}
	for _, how := range []sr.DeleteHow{sr.SoftDelete, sr.HardDelete} {
		if err := registry.DeleteSchema(t.Context(), subject, let.Version, how); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := check(); err != nil {
		t.Errorf("once it is gone: %v\n%s", err, said)
	}
}

func registryAt(t *testing.T, a parts.Addresses) *sr.Client {
	t.Helper()
	client, err := serde.NewClient("http://" + a.Registry)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func level(t *testing.T, registry *sr.Client, subject string, to sr.CompatibilityLevel) {
	t.Helper()
	for _, result := range registry.SetCompatibility(context.WithoutCancel(t.Context()), sr.SetCompatibility{Level: to}, subject) {
		if result.Err != nil {
			t.Error(result.Err)
		}
	}
}

// withRequiredField is a schema whose readers cannot read what was written before.
func withRequiredField(t *testing.T, schema string) string {
	t.Helper()
	var record map[string]any
	if err := json.Unmarshal([]byte(schema), &record); err != nil {
		t.Fatal(err)
	}
	record["fields"] = append(record["fields"].([]any), map[string]any{"name": "required", "type": "string"})
	changed, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}
