package sim

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// poisonMark is a header by which the simulation knows its own records again, should it never hear of their fate.
const poisonMark = "sim-poison"

const otherBytes = "an old id with other bytes"

// poisons make a record that nobody can handle of an old one. The names are stable.
var poisons = []struct {
	name string
	make func(w *World, r *kgo.Record)
}{
	{"garbage", func(w *World, r *kgo.Record) {
		renew(r)
		r.Value = make([]byte, w.draw(60))
		for i := range r.Value {
			r.Value[i] = byte(w.draw(256))
		}
	}},
	{"no headers", func(_ *World, r *kgo.Record) { r.Headers = nil }},
	{"truncated", func(_ *World, r *kgo.Record) {
		renew(r)
		r.Value = r.Value[:len(r.Value)/2]
	}},
	{"another type than its schema's", func(w *World, r *kgo.Record) {
		renew(r)
		records := schemas.Records()
		for old := header(r, "ce_type"); header(r, "ce_type") == old; {
			setHeader(r, "ce_type", records[w.draw(len(records))].Name)
		}
	}},
	{otherBytes, func(_ *World, r *kgo.Record) {
		r.Value = slices.Clone(r.Value)
		r.Value[max(0, len(r.Value)-7)] ^= 2 // most events end with a time, which is another then
	}},
	{"a schema that nobody knows", func(_ *World, r *kgo.Record) {
		renew(r)
		r.Value = append([]byte{0, 0, 0xff, 0xff, 0xff}, r.Value...)
	}},
}

// poison appends a record that cannot be handled, under the key of an order or a product that there is. What comes
// behind it has to wait until an operator has seen to it.
func poison(w *World, f Fault) {
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	old, err := w.records(ctx, consumed[w.draw(len(consumed))])
	old = slices.DeleteFunc(old, func(r *kgo.Record) bool { return r.Value == nil || header(r, poisonMark) != "" })
	if err != nil || len(old) == 0 {
		return
	}
	chosen := old[w.draw(len(old))]
	bad := &kgo.Record{
		Topic: chosen.Topic, Partition: chosen.Partition, Key: chosen.Key, Value: chosen.Value,
		Headers: slices.Clone(chosen.Headers),
	}
	kind := poisons[w.draw(len(poisons))]
	if kind.name == otherBytes && bad.Topic == "product.events" {
		return // which has no inbox: what is not newer than the copy changes nothing, whatever it says
	}
	kind.make(w, bad)
	bad.Headers = append(bad.Headers, kgo.RecordHeader{Key: poisonMark, Value: []byte(kind.name)})
	client, err := w.topicClient()
	if err != nil {
		w.fail("client: %v", err)
		return
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, bad).FirstErr(); err == nil {
		w.log("poison (%s) at %s/%d@%d of %s", kind.name, bad.Topic, bad.Partition, bad.Offset, bad.Key)
		w.hit(f.Kind)
		w.hit("poison: " + kind.name)
	}
}

// poisoned lists the poison that is in the topics.
func poisoned(log []checker.Record) (found []checker.Injected) {
	for _, r := range log {
		if slices.ContainsFunc(r.Headers, func(h event.Header) bool { return h.Key == poisonMark }) &&
			slices.Contains(consumed, r.Topic) {
			found = append(found, checker.Injected{
				Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Poison: true,
			})
		}
	}
	return found
}

// renew gives a record an id of its own.
func renew(r *kgo.Record) { setHeader(r, "ce_id", event.NewID()) }

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func setHeader(r *kgo.Record, key, value string) {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			r.Headers[i].Value = []byte(value)
		}
	}
}
