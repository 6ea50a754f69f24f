package broker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/platform/broker"
)

const topic = "order.events"

func TestASecondStartFindsLogsAndOffsetsOfTheFirst(t *testing.T) {
	ctx := t.Context()
	data := t.TempDir()
	first := start(t, broker.Config{Data: data})
	client := connect(t, first)
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 6, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"one", "two", "three"} {
		record := &kgo.Record{Topic: topic, Key: []byte("key"), Value: []byte(value)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	group := connect(t, first, kgo.ConsumerGroup("group"), kgo.ServerSideBalancer(), kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	var got []string
	for len(got) < 2 {
		for _, record := range group.PollRecords(ctx, 2-len(got)).Records() {
			got = append(got, string(record.Value))
			if err := group.CommitRecords(ctx, record); err != nil {
				t.Fatal(err)
			}
		}
	}
	group.Close()
	client.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(t, broker.Config{Data: data})
	group = connect(t, second, kgo.ConsumerGroup("group"), kgo.ServerSideBalancer(), kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()))
	for len(got) < 3 {
		for _, record := range group.PollFetches(ctx).Records() {
			got = append(got, string(record.Value))
		}
		if ctx.Err() != nil {
			t.Fatal("the third record did not arrive")
		}
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, got); diff != "" {
		t.Errorf("values over both starts (-want +got):\n%s", diff)
	}
}

func TestAMentionedTopicIsNotCreated(t *testing.T) {
	b := start(t, broker.Config{})
	client := connect(t, b, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0))

	err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "mistyped", Value: []byte("value")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("error %v, want UNKNOWN_TOPIC_OR_PARTITION", err)
	}
}

func TestTheSuccessorOfASilentConsumerWaitsForTheSessionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		var network kfake.VirtualNetwork
		b := start(t, broker.Config{Addr: "127.0.0.1:9092", Listen: network.Listen})
		dial := kgo.Dialer(network.DialContext)
		client := connect(t, b, dial)
		if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("value")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		join(t, client) // takes the only partition, and is never heard of again
		began := time.Now()

		heir := connect(t, b, dial, kgo.ConsumerGroup("group"), kgo.ServerSideBalancer(), kgo.ConsumeTopics(topic),
			kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
		for got := 0; got == 0; {
			fetches := heir.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			got = fetches.NumRecords()
		}
		if waited := time.Since(began); waited < 2*time.Second || waited > 6*time.Second {
			t.Errorf("the successor waited %v, want about the session timeout of 3 s", waited)
		}
	})
}

func TestAConsumerGetsItsPartitionsBackAfterARestartHoweverLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var network kfake.VirtualNetwork
		config := broker.Config{Addr: "127.0.0.1:9092", Listen: network.Listen, Data: t.TempDir()}
		first := start(t, config)
		dial := kgo.Dialer(network.DialContext)
		member := connect(t, first, dial, kgo.ConsumerGroup("group"), kgo.ServerSideBalancer(), kgo.ConsumeTopics(topic),
			kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
		client := connect(t, first, dial)
		if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		produce := func(value string) {
			t.Helper()
			if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		produce("before")
		if n := member.PollRecords(ctx, 1).NumRecords(); n != 1 {
			t.Fatalf("%d records before the restart", n)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second) // longer than the session
		start(t, config)
		produce("after")
		for got := 0; got == 0; {
			got = member.PollRecords(ctx, 1).NumRecords()
			if ctx.Err() != nil {
				t.Fatal("the member gets nothing after the restart")
			}
		}
	})
}

func TestABusyPortIsReportedWithItsCure(t *testing.T) {
	taken := start(t, broker.Config{})

	_, err := broker.Start(broker.Config{Addr: taken.Addr(), Data: t.TempDir()})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("error %v, want EADDRINUSE", err)
	}
	_, port, _ := net.SplitHostPort(taken.Addr())
	if !strings.Contains(err.Error(), "port "+port+" is taken, and the broker needs it") {
		t.Errorf("error %q", err)
	}
}

func TestAFolderInUseIsRefused(t *testing.T) {
	data := t.TempDir()
	first := start(t, broker.Config{Data: data})
	if _, err := broker.Start(broker.Config{Data: data}); err == nil || !strings.Contains(err.Error(), data) {
		t.Errorf("error %v, want one that names the folder", err)
	}

	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, broker.Config{Data: data})
}

func TestConfigIsChecked(t *testing.T) {
	for name, config := range map[string]broker.Config{
		"no port":                  {Addr: "127.0.0.1"},
		"a port that is no number": {Addr: "127.0.0.1:kafka"},
		"a port out of range":      {Addr: "127.0.0.1:65536"},
		"another host":             {Addr: "0.0.0.0:0"},
		"a hasty session":          {SessionTimeout: time.Second, Heartbeat: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := broker.Start(config); err == nil {
				t.Errorf("accepted: %v", b.Close())
			}
		})
	}
}

func TestTheDailyRoundIsLoggedAtDebugOnly(t *testing.T) {
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		var log bytes.Buffer
		b := start(t, broker.Config{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))})
		join(t, connect(t, b))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "component=broker"); got != want {
			t.Errorf("at level %v: logged %v, want %v:\n%s", level, got, want, log.String())
		}
	}
}

func start(t *testing.T, config broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func connect(t *testing.T, b *broker.Broker, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(b.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// join makes a member of the group that holds what it is assigned and sends no heartbeat.
func join(t *testing.T, client *kgo.Client) {
	t.Helper()
	request := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	request.Group = "group"
	request.MemberID = "silent"
	request.RebalanceTimeoutMillis = 60_000
	request.SubscribedTopicNames = []string{topic}
	request.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
