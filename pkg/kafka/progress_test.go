package kafka_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

const stall = time.Minute

// horizons asks a Progress at instants of an invented clock.
type horizons struct {
	*kafka.Progress
	t     *testing.T
	admin *kadm.Client
	now   time.Time
}

func newHorizons(t *testing.T, cluster *kfake.Cluster) *horizons {
	h := &horizons{t: t, admin: newAdmin(t, cluster), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.Progress = kafka.NewProgress(h.admin, group, []string{topic}, stall)
	return h
}

func (h *horizons) commit(partition int32, offset int64) {
	h.t.Helper()
	offsets := make(kadm.Offsets)
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1})
	if err := h.admin.CommitAllOffsets(h.t.Context(), group, offsets); err != nil {
		h.t.Fatal(err)
	}
}

// ask moves the clock by d and asks.
func (h *horizons) ask(d time.Duration) time.Time {
	h.t.Helper()
	h.now = h.now.Add(d)
	horizon, err := h.Horizon(h.t.Context(), h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return horizon
}

// want asks after each of the pauses and checks the last answer.
func (h *horizons) want(why string, want time.Time, pauses ...time.Duration) {
	h.t.Helper()
	var got time.Time
	for _, d := range pauses {
		got = h.ask(d)
	}
	if !got.Equal(want) {
		h.t.Errorf("%s: horizon %v, want %v", why, got, want)
	}
}

// every returns n pauses.
func every(d time.Duration, n int) []time.Duration {
	pauses := make([]time.Duration, n)
	for i := range pauses {
		pauses[i] = d
	}
	return pauses
}

func TestHorizonFollowsAGroupThatIsCaughtUp(t *testing.T) {
	cluster := startBroker(t, 2)
	h := newHorizons(t, cluster)
	h.want("empty topics, no group", h.now.Add(time.Second), time.Second)
	newProducer(t, cluster)(0, "a", series("a", 0, 3)...)
	h.commit(0, 3)
	h.want("caught up", h.now.Add(time.Hour), time.Hour)
}

func TestHorizonHoldsWhileABacklogShrinks(t *testing.T) {
	cluster := startBroker(t, 2)
	h := newHorizons(t, cluster)
	produce := newProducer(t, cluster)
	produce(0, "a", series("a", 0, 100)...)
	produce(1, "b", series("b", 0, 20)...)
	h.want("nothing committed", time.Time{}, time.Second)
	marked := h.now
	for offset := int64(1); offset < 20; offset++ { // for far longer than the stall time
		h.commit(0, offset)
		h.commit(1, offset)
		h.want("moving", time.Time{}, every(10*time.Second, 5)...)
	}
	h.commit(0, 100)
	h.want("one partition of two is behind", time.Time{}, time.Second)
	produce(0, "a", series("a", 100, 200)...)
	h.commit(1, 20)
	h.want("all that waited at the mark is handled, though more came", marked, time.Second)
	h.want("a new mark", marked, time.Second)
	marked = h.now
	h.commit(0, 200)
	h.want("handled too", marked, time.Second)
}

func TestHorizonIsReleasedWhenTheGroupStandsStill(t *testing.T) {
	cluster := startBroker(t, 1)
	h := newHorizons(t, cluster)
	newProducer(t, cluster)(0, "a", series("a", 0, 9)...)
	h.commit(0, 4)
	h.want("just noted", time.Time{}, time.Second)
	h.want("not long enough", time.Time{}, every(10*time.Second, 5)...)
	h.want("long enough", h.now.Add(-50*time.Second), 10*time.Second) // the mark of the first look
	h.want("still standing", h.now.Add(time.Second), time.Second)
	released := h.now
	h.commit(0, 5)
	h.want("moving again", released, every(10*time.Second, 6)...)
}

// While the database was away nobody asked, and the group could not move: it has to be given the time to.
func TestHorizonDoesNotCountTimeInWhichNobodyLooked(t *testing.T) {
	cluster := startBroker(t, 1)
	h := newHorizons(t, cluster)
	newProducer(t, cluster)(0, "a", series("a", 0, 9)...)
	h.want("just noted", time.Time{}, time.Second)
	h.want("after an outage", time.Time{}, time.Hour)
	h.want("not long enough", time.Time{}, every(10*time.Second, 5)...)
	h.want("long enough", h.now.Add(11*time.Second), 10*time.Second, time.Second)
}

// The events of one order are refused; those of others, on other partitions, keep coming.
func TestStoppedPartitionHoldsNoOtherBack(t *testing.T) {
	cluster := startBroker(t, 2)
	h := newHorizons(t, cluster)
	produce := newProducer(t, cluster)
	produce(0, "a", series("a", 0, 9)...)
	h.commit(0, 4)
	handled := int64(0)
	traffic := func() {
		produce(1, "b", "b")
		handled++
		h.commit(1, handled)
	}
	for range 12 {
		traffic()
		h.want("it may yet move", time.Time{}, 5*time.Second)
	}
	traffic()
	h.want("it has stood still for the stall time", h.now.Add(-time.Minute+5*time.Second), 5*time.Second)
	for range 12 {
		traffic()
		h.want("it still stands", h.now.Add(5*time.Second), 5*time.Second)
	}

	produce(1, "b", "b")
	released := h.now
	h.want("the other partition is behind, and may yet move", released, every(5*time.Second, 12)...)
	handled++
	h.commit(1, handled)
	h.want("it did", released.Add(5*time.Second), 5*time.Second)

	h.commit(0, 5)
	released = h.now
	h.want("what was stopped moves again", released.Add(-time.Minute), 5*time.Second)
}

func TestIdlePartitionIsGivenTheStallTimeOnceSomethingWaits(t *testing.T) {
	cluster := startBroker(t, 1)
	h := newHorizons(t, cluster)
	produce := newProducer(t, cluster)
	produce(0, "a", "a")
	h.commit(0, 1)
	h.want("idle", h.now.Add(2*time.Minute), every(5*time.Second, 24)...)
	idle := h.now
	produce(0, "a", "a")
	h.want("the next event waits", idle, every(5*time.Second, 12)...)
	h.want("for too long", idle.Add(5*time.Second), 5*time.Second)
}

func TestHorizonOfAPartitionThatRetentionEmptied(t *testing.T) {
	cluster := startBroker(t, 2)
	h := newHorizons(t, cluster)
	newProducer(t, cluster)(0, "a", series("a", 0, 9)...)
	h.want("nothing committed", time.Time{}, time.Second)
	if err := cluster.DeleteRecords(topic, 0, 9); err != nil {
		t.Fatal(err)
	}
	h.want("nothing is left to be read", h.now, time.Second)
}

func TestHorizonOfAServiceThatConsumesNothing(t *testing.T) {
	now := time.Now()
	if got, err := kafka.NewProgress(nil, group, nil, stall).Horizon(t.Context(), now); err != nil || !got.Equal(now) {
		t.Errorf("horizon %v, %v", got, err)
	}
}

func TestHorizonIsKeptWhileTheBrokerFails(t *testing.T) {
	for name, key := range map[string]kmsg.Key{"ends": kmsg.ListOffsets, "commits": kmsg.OffsetFetch} {
		t.Run(name, func(t *testing.T) {
			cluster := startBroker(t, 1)
			h := newHorizons(t, cluster)
			reached := h.ask(time.Second)
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.UnknownServerError, Count: 1})
			got, err := h.Horizon(t.Context(), h.now.Add(time.Second))
			if err == nil || !got.Equal(reached) {
				t.Errorf("horizon %v, %v; want %v and an error", got, err, reached)
			}
			h.want("after the failure", h.now.Add(3*time.Second), 2*time.Second, time.Second)
		})
	}
}
