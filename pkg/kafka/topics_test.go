package kafka_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

func TestApplyCreatesWhatIsMissingAndChangesNothing(t *testing.T) {
	cluster := startBroker(t, 4)
	admin := newAdmin(t, cluster)
	topics := []kafka.Topic{
		{Name: topic, Partitions: 6},
		{Name: "order.events", Partitions: 6, Config: map[string]string{"retention.ms": "1000", "cleanup.policy": "delete"}},
		{Name: "order.deadletter", Partitions: 1},
	}
	for _, want := range [][]string{{"order.events", "order.deadletter"}, nil} {
		created, err := kafka.Apply(t.Context(), admin, topics)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, created); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
	}

	partitions := make(map[string]int)
	for _, name := range []string{topic, "order.events", "order.deadletter"} {
		partitions[name] = len(cluster.PartitionInfos(name))
	}
	want := map[string]int{topic: 4, "order.events": 6, "order.deadletter": 1}
	if diff := cmp.Diff(want, partitions); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), "order.events")
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string]string)
	for _, c := range configs[0].Configs {
		settings[c.Key] = c.MaybeValue()
	}
	if settings["retention.ms"] != "1000" || settings["cleanup.policy"] != "delete" {
		t.Errorf("retention.ms %q, cleanup.policy %q", settings["retention.ms"], settings["cleanup.policy"])
	}
}

func TestApplyNamesTheTopicThatTheBrokerRefuses(t *testing.T) {
	cluster := startBroker(t, 1)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "b", Err: kerr.PolicyViolation})
	created, err := kafka.Apply(t.Context(), newAdmin(t, cluster), []kafka.Topic{
		{Name: "a", Partitions: 1}, {Name: "b", Partitions: 1}, {Name: "c", Partitions: 1},
	})
	wantError(t, err, "create topic b")
	if diff := cmp.Diff([]string{"a"}, created); diff != "" {
		t.Errorf("created before the failure (-want +got):\n%s", diff)
	}
	if !errors.Is(err, kerr.PolicyViolation) {
		t.Errorf("error %v does not wrap the broker's", err)
	}
}

func TestCheckNamesMissingTopicsAndTheCure(t *testing.T) {
	admin := newAdmin(t, startBroker(t, 1))
	if err := kafka.Check(t.Context(), admin, []string{topic}); err != nil {
		t.Errorf("a topic that exists: %v", err)
	}
	err := kafka.Check(t.Context(), admin, []string{"product.events", topic, "order.events"})
	if !errors.Is(err, kafka.ErrTopics) {
		t.Fatalf("error %v, want ErrTopics", err)
	}
	wantError(t, err, "[order.events product.events]", "quadrille apply")
	if err := kafka.Check(t.Context(), admin, []string{"order.events"}); err == nil {
		t.Error("the check itself has created the topic")
	}
}

func TestCheckDoesNotCallATopicMissingThatCannotBeSeen(t *testing.T) {
	cluster := startBroker(t, 1)
	admin := newAdmin(t, cluster)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Err: kerr.TopicAuthorizationFailed, Count: -1})
	err := kafka.Check(t.Context(), admin, []string{topic})
	if !errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kafka.ErrTopics) {
		t.Errorf("error %v, want that the topic may not be seen", err)
	}
}
