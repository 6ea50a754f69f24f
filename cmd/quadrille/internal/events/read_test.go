package events

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestAPartitionThatIsFarAheadWaitsForTheOthers(t *testing.T) {
	w := startWorld(t)
	const many = 3 * maxKept
	var records []*kgo.Record
	for n := range many {
		records = append(records, &kgo.Record{
			Topic: "order.events", Partition: int32(n % 2), Timestamp: start.Add(time.Duration(n/2) * time.Millisecond),
			Key: []byte(one), Value: []byte("x"),
		})
	}
	w.raw(t, records...)
	// The oldest and the newest are in a partition of another topic, behind which all others must wait.
	for _, second := range []int{-1, 1000} {
		w.raw(t, &kgo.Record{
			Topic: "payment.events", Timestamp: start.Add(time.Duration(second) * time.Second), Key: []byte(two), Value: []byte("x"),
		})
	}
	last, count := time.Time{}, 0
	for _, e := range shown(t, w.command()) {
		if e.Time.Before(last) {
			t.Fatalf("%s comes after %s", e.Time, last)
		}
		last, count = e.Time, count+1
	}
	if count != many+2 {
		t.Errorf("shown are %d of %d", count, many+2)
	}
}

func TestAnEndThatWasCompactedAwayIsSaid(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	client, err := kgo.NewClient(kgo.SeedBrokers(w.broker.Addr()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	parts := []*partition{{topic: "order.events", end: 3}}
	r := newReader(client, parts, func(*kgo.Record) bool { return true })
	var notes bytes.Buffer
	count := 0
	err = r.stored(t.Context(), &notes, func(context.Context, *kgo.Record) error { count++; return nil })
	const want = "quadrille: order.events/0 has nothing from offset 1 to its end at 3: it was compacted away\n"
	if err != nil || count != 1 || notes.String() != want {
		t.Errorf("%v, %d shown, said %q", err, count, notes.String())
	}
}

func TestTheOldestWaitsForWhatMightBeOlder(t *testing.T) {
	at := func(second int, offset int64) []*kgo.Record {
		return []*kgo.Record{{Timestamp: start.Add(time.Duration(second) * time.Second), Offset: offset}}
	}
	tests := map[string]struct {
		parts []*partition
		want  int // -1: none
	}{
		"of two":                        {[]*partition{{kept: at(5, 0), next: 1, end: 1}, {kept: at(4, 0), next: 1, end: 1}}, 1},
		"beside one that is read":       {[]*partition{{kept: at(5, 0), next: 1, end: 1}, {next: 7, end: 7}}, 0},
		"beside one that is not":        {[]*partition{{kept: at(5, 0), next: 1, end: 1}, {next: 6, end: 7}}, -1},
		"not what came after the start": {[]*partition{{kept: at(5, 3), next: 4, end: 3}, {kept: at(6, 0), next: 1, end: 1}}, 1},
		"of nothing":                    {[]*partition{{}, {}}, -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := slices.Index(test.parts, (&reader{parts: test.parts}).oldest()); got != test.want {
				t.Errorf("it is partition %d, want %d", got, test.want)
			}
		})
	}
}
