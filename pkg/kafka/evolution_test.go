package kafka_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// noted is the next version of paid, with a field that our consumer does not know.
type noted struct {
	OrderID string  `avro:"order_id"`
	Amount  int64   `avro:"amount"`
	Note    *string `avro:"note"`
}

func (*noted) EventType() string { return "test.Paid" }

var notedType = serde.Type{
	Name: "test.Paid", Topic: topic, New: func() event.Data { return new(noted) },
	Schema: `{"type":"record","name":"Paid","namespace":"test","fields":[` +
		`{"name":"order_id","type":"string"},{"name":"amount","type":"long"},` +
		`{"name":"note","type":["null","string"],"default":null}]}`,
}

// A consumer of the release before goes on while the next one publishes what it does not know.
func TestConsumerToleratesAndCountsWhatANewerReleasePublishes(t *testing.T) {
	c := newContracts(t)
	old := c.record(t, &paid{OrderID: orderID, Amount: 1})
	strange := c.record(t, &voided{OrderID: orderID})
	client, err := serde.NewClient(c.registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	next := []serde.Type{notedType}
	if err := serde.Register(t.Context(), client, next); err != nil {
		t.Fatal(err)
	}
	if c.writer, err = serde.New(t.Context(), client, next); err != nil {
		t.Fatal(err)
	}
	with := c.record(t, &noted{OrderID: orderID, Amount: 2, Note: new("a gift")})
	without := c.record(t, &noted{OrderID: orderID, Amount: 3})

	cluster := startBroker(t, 1)
	s := newSink()
	produceAll(t, cluster.ListenAddrs(), old, with, strange, without)
	join(t, cluster, s.take, func(config *kafka.ConsumerConfig[string]) { config.Decode = c.decoder.Decode })
	awaitCommits(t, cluster, map[int32]int64{0: 4})

	s.mu.Lock()
	defer s.mu.Unlock()
	var inputs []string
	for _, m := range s.handled {
		if m.Fault != nil {
			t.Errorf("offset %d is at fault: %v", m.Record.Offset, m.Fault)
		}
		inputs = append(inputs, m.Input)
	}
	const at = " at 2026-01-02T03:04:05.000006Z"
	if diff := cmp.Diff([]string{orderID + " 1" + at, orderID + " 2" + at, orderID + " 3" + at}, inputs); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"test.Voided": 1}, c.counted(t, "quadrille.consumer.skipped")); diff != "" {
		t.Errorf("unknown types (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"test.Paid": 2}, c.counted(t, "quadrille.consumer.unknown_fields")); diff != "" {
		t.Errorf("events with unknown fields (-want +got):\n%s", diff)
	}
}

// counted returns a counter's values by event type.
func (c *contracts) counted(t *testing.T, name string) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
				for _, p := range sum.DataPoints {
					kind, _ := p.Attributes.Value("event.type")
					counts[kind.AsString()] += p.Value
				}
			}
		}
	}
	return counts
}

// produceAll produces records to their topic's partition 0, one after another.
func produceAll(t *testing.T, brokers []string, records ...*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, r := range records {
		r.Partition = 0
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}
