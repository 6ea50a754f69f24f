package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// blockOnce returns a Take whose first batch waits for release, and the channel that tells that it does.
func blockOnce(s *sink, release <-chan struct{}) (takeFunc, <-chan struct{}) {
	entered := make(chan struct{})
	var once sync.Once
	return func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		once.Do(func() {
			close(entered)
			<-release
		})
		return s.take(ctx, messages)
	}, entered
}

// awayOnce returns a Take that hangs, as with its database away, until its first batch is given back.
func awayOnce(s *sink) (take takeFunc, entered, given <-chan struct{}) {
	in, out := make(chan struct{}), make(chan struct{})
	var once sync.Once
	return func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		once.Do(func() {
			close(in)
			<-ctx.Done()
			close(out)
		})
		if ctx.Err() != nil {
			return nil, work.ErrStopped
		}
		return s.take(ctx, messages)
	}, in, out
}

func produceSeries(t *testing.T, cluster *kfake.Cluster, partitions int32, from, to int) map[string][]string {
	t.Helper()
	produce, want := newProducer(t, cluster), make(map[string][]string)
	for p := range partitions {
		for _, name := range []string{"x", "y"} {
			key := fmt.Sprintf("%s%d", name, p)
			want[key] = series(key, 0, to)
			produce(p, key, series(key, from, to)...)
		}
	}
	return want
}

func awaitMembers(t *testing.T, cluster *kfake.Cluster, n int) {
	t.Helper()
	_, err := cluster.WaitGroupInfo(t.Context(), group, func(info *kfake.GroupInfo) bool {
		return info != nil && len(info.Members) == n
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestJoiningMemberWaitsForTheBatchUnderWay(t *testing.T) {
	cluster := startBroker(t, 6)
	produceSeries(t, cluster, 6, 0, 50)
	s, release := newSink(), make(chan struct{})
	blocked, entered := blockOnce(s, release)
	join(t, cluster, blocked, giveBackWithin(time.Hour))
	<-entered
	second := newSink()
	both := func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		_, _ = second.take(ctx, messages)
		return s.take(ctx, messages)
	}
	join(t, cluster, both)
	awaitMembers(t, cluster, 2)
	// The first member has been told which three partitions it keeps.
	_, err := cluster.WaitGroupInfo(t.Context(), group, func(info *kfake.GroupInfo) bool {
		return info.Members[0].NumAssigned() == 3 || info.Members[1].NumAssigned() == 3
	})
	if err != nil {
		t.Fatal(err)
	}
	if ids := second.ids(-1); len(ids) > 0 {
		t.Errorf("the second member was handed %d messages while the first was at work", len(ids))
	}
	close(release)
	if _, err := cluster.WaitGroupStable(t.Context(), group, 2); err != nil {
		t.Fatal(err)
	}
	want := produceSeries(t, cluster, 6, 50, 100)
	s.await(t, 1200)
	if diff := cmp.Diff(want, s.firsts()); diff != "" {
		t.Errorf("order by key (-want +got):\n%s", diff)
	}
	if repeated := s.repeated(); len(repeated) > 0 {
		t.Errorf("handed over twice, although every batch ended well: %v", repeated)
	}
	if len(second.ids(-1)) == 0 {
		t.Error("the second member was handed nothing")
	}
}

func TestBatchThatHangsIsGivenBackForARebalance(t *testing.T) {
	cluster := startBroker(t, 6)
	want := produceSeries(t, cluster, 6, 0, 100)
	s := newSink()
	away, entered, given := awayOnce(s)
	// Batches smaller than what waits, so that a second one is under way behind the first.
	m := join(t, cluster, away, giveBackWithin(50*time.Millisecond), func(c *kafka.ConsumerConfig[string]) {
		c.MaxRecords = 100
	})
	<-entered
	join(t, cluster, s.take)
	<-given
	s.await(t, 1200)
	if diff := cmp.Diff(want, s.firsts()); diff != "" {
		t.Errorf("order by key (-want +got):\n%s", diff)
	}
	if err := m.stop(); err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

// gate is a database that can be away: what waits for it ends with its own context, and the transaction of every
// second one was committed all the same.
type gate struct {
	mu   sync.Mutex
	open chan struct{}
	lost int
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open {
		close(g.open)
	} else {
		g.open = make(chan struct{})
	}
}

func (g *gate) take(s *sink) takeFunc {
	return func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		g.mu.Lock()
		open := g.open
		g.mu.Unlock()
		select {
		case <-open:
			return s.take(ctx, messages)
		case <-ctx.Done():
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.lost++; g.lost%2 == 0 {
			_, _ = s.take(ctx, messages)
		}
		return nil, work.ErrStopped
	}
}

func TestMembersComeAndGoUnderLoad(t *testing.T) {
	const rounds, each = 8, 40
	cluster := startBroker(t, 6)
	s, g := newSink(), newGate()
	small := func(c *kafka.ConsumerConfig[string]) { c.MaxRecords, c.GiveBack = 7, 30*time.Millisecond }
	members := []*member{join(t, cluster, g.take(s), small)}
	var want map[string][]string
	for round := range rounds {
		away := round%4 >= 2
		if away {
			g.set(false)
		}
		want = produceSeries(t, cluster, 6, round*each, (round+1)*each)
		if round%2 == 0 {
			members = append(members, join(t, cluster, g.take(s), small))
		} else {
			if err := members[0].stop(); err != nil {
				t.Errorf("Run ended with %v", err)
			}
			members = members[1:]
		}
		awaitMembers(t, cluster, len(members))
		if away {
			if _, err := cluster.WaitGroupStable(t.Context(), group, len(members)); err != nil {
				t.Fatal(err)
			}
			g.set(true)
		}
	}
	s.await(t, rounds*each*len(want))
	if diff := cmp.Diff(want, s.firsts()); diff != "" {
		t.Errorf("order by key (-want +got):\n%s", diff)
	}
	t.Logf("%d messages handed over, %d of them again", len(s.ids(-1)), len(s.repeated()))
}

func TestRunDrainsAndLeavesAtOnce(t *testing.T) {
	cluster := startBroker(t, 2)
	cluster.SetGroupConfigs(group, map[string]string{"consumer.session.timeout.ms": "60000"})
	produceSeries(t, cluster, 2, 0, 25)
	s, release := newSink(), make(chan struct{})
	blocked, entered := blockOnce(s, release)
	m := join(t, cluster, blocked, giveBackWithin(time.Hour))
	<-entered
	m.cancel()
	close(release)
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	if got := len(cluster.GroupInfo(group).Members); got != 0 {
		t.Errorf("%d members in the group after Run ended", got)
	}
	handled := int64(len(s.ids(-1)))
	if committed := commits(cluster)[0] + commits(cluster)[1]; handled == 0 || committed != handled {
		t.Errorf("%d handled and %d committed", handled, committed)
	}
	join(t, cluster, s.take)
	s.await(t, 100)
	if repeated := s.repeated(); len(repeated) > 0 {
		t.Errorf("handed to the successor again: %v", repeated)
	}
}

func TestRunEndsAlthoughItsBatchHangs(t *testing.T) {
	cluster := startBroker(t, 1)
	produceSeries(t, cluster, 1, 0, 5)
	s := newSink()
	away, entered, _ := awayOnce(s)
	m := join(t, cluster, away, giveBackWithin(20*time.Millisecond))
	<-entered
	if err := m.stop(); err != nil {
		t.Errorf("Run ended with %v", err)
	}
	if got := commits(cluster); len(got) > 0 {
		t.Errorf("offsets %v committed of what was given back", got)
	}
	join(t, cluster, s.take)
	s.await(t, 10)
}

func TestRunEndsWithTheUnitOfWork(t *testing.T) {
	for name, records := range map[string]int{"its only batch": 5, "one of many batches": 500} {
		t.Run(name, func(t *testing.T) {
			cluster := startBroker(t, 1)
			produceSeries(t, cluster, 1, 0, records)
			stopped := func(context.Context, []work.Message[string]) ([]work.Refusal, error) { return nil, work.ErrStopped }
			m := join(t, cluster, stopped, func(c *kafka.ConsumerConfig[string]) { c.MaxRecords = 100 })
			<-m.done
			wantError(t, m.stop(), group, work.ErrStopped.Error())
			if got := len(cluster.GroupInfo(group).Members); got != 0 {
				t.Errorf("%d members in the group after Run ended", got)
			}
		})
	}
}
