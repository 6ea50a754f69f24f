package sim

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consumed are the topics that services read.
var consumed = []string{"order.events", "inventory.events", "payment.events", "product.events"}

// within which the simulation itself gets an answer from the broker.
const within = 3 * time.Second

// topicClient returns a client of the broker that belongs to nobody.
func (w *World) topicClient(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(brokerAddr), kgo.Dialer(w.outside.Dial), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DisableClientMetrics(), kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

// redeliver appends a copy of an old record to its topic.
func redeliver(w *World, f Fault) {
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	old, err := w.records(ctx, consumed[w.draw(len(consumed))])
	if err != nil || len(old) == 0 {
		return
	}
	r := old[w.draw(len(old))]
	w.appendCopy(ctx, f.Kind, r)
}

func (w *World) appendCopy(ctx context.Context, kind string, r *kgo.Record) {
	client, err := w.topicClient()
	if err != nil {
		w.fail("client: %v", err)
		return
	}
	defer client.Close()
	again := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers}
	if err := client.ProduceSync(ctx, again).FirstErr(); err == nil {
		w.log("%s/%d@%d is there again at %d", r.Topic, r.Partition, r.Offset, again.Offset)
		w.hit(kind)
	}
}

// rewind sets a consumer group back while none of its members runs, as an operator may.
func rewind(w *World, f Fault) {
	for {
		inc := w.pick(f.Of)
		if inc == nil {
			break
		}
		if w.forget(inc) {
			inc.stop()
		}
	}
	w.sleep(sessionTimeout + stroke)
	w.rewindGroup(f)
	for range w.plan.Replicas[f.Of] {
		w.add(f.Of)
	}
}

func (w *World) rewindGroup(f Fault) {
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	client, err := w.topicClient()
	if err != nil {
		w.fail("client: %v", err)
		return
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	committed, err := admin.FetchOffsets(ctx, f.Of)
	if err != nil {
		return
	}
	back := make(kadm.Offsets)
	committed.Each(func(o kadm.OffsetResponse) {
		if o.At > 0 {
			back.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, At: int64(w.draw(int(o.At))), LeaderEpoch: -1})
		}
	})
	if len(back) == 0 {
		return
	}
	answer, err := admin.CommitOffsets(ctx, f.Of, back)
	if err == nil && answer.Ok() {
		w.log("group %s is set back", f.Of)
		w.hit(f.Kind)
	}
}

// records returns all that a topic holds.
func (w *World) records(ctx context.Context, topic string) (all []*kgo.Record, err error) {
	client, err := w.topicClient(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(20*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	left := 0
	ends.Each(func(o kadm.ListedOffset) { left += int(max(o.Offset, 0)) })
	for len(all) < left {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return all, err
		}
		all = append(all, fetches.Records()...)
	}
	return all, nil
}
