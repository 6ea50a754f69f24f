package parts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Reset deletes topics and consumer groups, whoever made them, and returns once they are gone. A group that still has
// members is waited for.
func Reset(ctx context.Context, brokers string, topics, groups []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("client of Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for {
		gone, err := reset(ctx, admin, topics, groups)
		if gone && err == nil {
			return nil
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(fmt.Errorf("empty Kafka: %w", ctx.Err()), err)
		case <-timer.C:
		}
	}
}

// reset says whether nothing was there any more.
func reset(ctx context.Context, admin *kadm.Client, topics, groups []string) (gone bool, err error) {
	gone = true
	for _, group := range groups {
		_, err := admin.DeleteGroup(ctx, group)
		if err == nil {
			gone = false
		} else if !errors.Is(err, kerr.GroupIDNotFound) {
			return false, fmt.Errorf("delete group %s: %w", group, err)
		}
	}
	deleted, err := admin.DeleteTopics(ctx, topics...)
	if err != nil {
		return false, fmt.Errorf("delete topics: %w", err)
	}
	for _, topic := range deleted.Sorted() {
		if topic.Err == nil {
			gone = false
		} else if !errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
			return false, fmt.Errorf("delete topic %s: %w", topic.Topic, topic.Err)
		}
	}
	return gone, nil
}
