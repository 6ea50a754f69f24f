package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// hostile is a record that nobody can handle, made of a good OrderPlaced.
type hostile struct {
	spoil func(r *kgo.Record)
	// state and class of its letter, at every service that reads the topic.
	state, class string
}

// header replaces a header of a record.
func header(r *kgo.Record, key, value string) {
	for i, h := range r.Headers {
		if h.Key == key {
			r.Headers[i].Value = []byte(value)
		}
	}
}

// rewritten replaces bytes within a record's value by as many others.
func rewritten(r *kgo.Record, from, to string) {
	r.Value = bytes.Replace(bytes.Clone(r.Value), []byte(from), []byte(to), 1)
}

func hostiles(good *kgo.Record, sku string, payment []byte) map[string]hostile {
	value := func(v []byte) func(*kgo.Record) { return func(r *kgo.Record) { r.Value = v } }
	own := func(r *kgo.Record) string { return string(r.Key) }
	bomb := func(r *kgo.Record) { r.Value = append(bytes.Clone(r.Value[:5]), 0xfe, 0xff, 0xff, 0xff, 0xff, 0x1f) }
	all := map[string]hostile{
		"no headers":                    {func(r *kgo.Record) { r.Headers = nil }, "dead", "headers"},
		"garbage":                       {value([]byte("\xffgarbage\x00")), "dead", "undecodable"},
		"no value":                      {value([]byte{}), "dead", "undecodable"},
		"truncated":                     {value(good.Value[:len(good.Value)-1]), "dead", "undecodable"},
		"trailing bytes":                {value(append(bytes.Clone(good.Value), 0)), "dead", "undecodable"},
		"oversized":                     {value(append(bytes.Clone(good.Value[:5]), make([]byte, 900<<10)...)), "dead", "undecodable"},
		"a string of 64 GiB":            {bomb, "dead", "undecodable"},
		"an unknown schema":             {value([]byte(unknownSchema + "stranger")), "parked", "unknown_schema"},
		"a schema of another subject":   {value(payment), "dead", ""}, // the class is that of what the reader knows
		"a type that contradicts":       {func(r *kgo.Record) { header(r, "ce_type", "quadrille.order.OrderConfirmed") }, "dead", "headers"},
		"a headers' NUL":                {func(r *kgo.Record) { header(r, "ce_type", "quadrille\x00\xff") }, "dead", "headers"},
		"a NUL in a string":             {func(r *kgo.Record) { rewritten(r, sku, "\x00"+sku[1:]) }, "dead", ""},
		"a string that is not UTF-8":    {func(r *kgo.Record) { rewritten(r, sku, "\xff"+sku[1:]) }, "dead", ""},
		"the data of another key":       {func(r *kgo.Record) { r.Value = good.Value }, "dead", "headers"},
		"a record key that is not text": {func(r *kgo.Record) { r.Key = []byte("\xff\x00" + own(r)) }, "dead", "headers"},
	}
	return all
}

// TestHostileRecordsAreDeadLettersAndNothingElse: no service dies, no other key waits, and the bytes are kept.
func TestHostileRecordsAreDeadLettersAndNothingElse(t *testing.T) {
	// By default an unknown schema is given up after as long as this test may take.
	p := up(t, "--ephemeral", "--set", "QUADRILLE_PARK_UNKNOWN_SCHEMA=1h")
	sku := "hostile-sku"
	p.stock(t, sku, 100)
	first := p.completed(t, p.place(t, "tok_visa", line{sku, 1}).ID)
	processes := make(map[string]int)
	for name := range p.Services {
		processes[name] = p.instance(t, name).PID
	}

	kafka, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka), kgo.ProducerBatchMaxBytes(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	good := p.recordOf(t, "order.events", first.ID, "quadrille.order.OrderPlaced")
	payment := p.recordOf(t, "payment.events", first.ID, "quadrille.payment.PaymentAuthorized").Value

	sent := make(map[string]*kgo.Record) // by what their letters are known by: the bytes
	cases := hostiles(good, sku, payment)
	names := slices.Sorted(maps.Keys(cases))
	for _, name := range names {
		key := event.NewID()
		r := &kgo.Record{Topic: "order.events", Key: []byte(key), Value: bytes.ReplaceAll(good.Value, good.Key, []byte(key))}
		r.Headers = slices.Clone(good.Headers)
		header(r, "ce_id", event.NewID())
		header(r, "ce_subject", key)
		cases[name].spoil(r)
		if err := kafka.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sent[name] = r
	}
	after := p.completed(t, p.place(t, "tok_visa", line{sku, 1}).ID)
	if after.Status != "confirmed" {
		t.Errorf("G8: an order placed after the hostile records is %s", after.Status)
	}

	for _, service := range []string{"inventory", "payment", "notification"} {
		kept := make(map[int64]client.OpenedDeadLetter) // by partition and offset
		eventually(t, fmt.Sprintf("%d letters of %s", len(names), service), func() error {
			letters, _, err := p.DeadLetters(t.Context(), service, client.DeadLetterFilter{}, 1000)
			if err != nil || len(letters) < len(names) {
				return fmt.Errorf("there are %d: %w", len(letters), err)
			}
			for _, l := range letters {
				opened, err := p.DeadLetter(t.Context(), service, l.ID, true)
				if err != nil {
					return err
				}
				kept[int64(opened.Record.Partition)<<32|opened.Record.Offset] = opened
			}
			return nil
		})
		if len(kept) != len(names) {
			t.Errorf("G7: %s keeps %d letters of %d records", service, len(kept), len(names))
		}
		for _, name := range names {
			r, want := sent[name], cases[name]
			l, found := kept[int64(r.Partition)<<32|r.Offset]
			switch {
			case !found:
				t.Errorf("G7: %s: %s: no letter", service, name)
			case !bytes.Equal(l.Record.Value, r.Value) || !bytes.Equal(l.Record.Key, r.Key):
				t.Errorf("G8: %s: %s: the bytes of the record are not kept", service, name)
			case l.State != want.state || want.class != "" && l.Class != want.class:
				t.Errorf("G8: %s: %s: %s as %s (%s), want %s as %s", service, name, l.State, l.Class, l.Error,
					want.state, want.class)
			}
		}
	}
	for name, pid := range processes {
		if got := p.instance(t, name).PID; got != pid {
			t.Errorf("G8: %s died and came back", name)
		}
	}
}

// recordOf reads a topic until it meets the event of a type and key.
func (p *platform) recordOf(t *testing.T, topic, key, eventType string) (found *kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reader, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for found == nil {
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			for _, h := range r.Headers {
				if string(r.Key) == key && h.Key == "ce_type" && string(h.Value) == eventType {
					found = r
				}
			}
		})
		if ctx.Err() != nil {
			t.Fatalf("no %s of %s on %s", eventType, key, topic)
		}
	}
	return found
}

func (p *platform) instance(t *testing.T, service string) client.Instance {
	t.Helper()
	instance, err := p.Instance(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	return instance
}
