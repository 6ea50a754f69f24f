package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// ErrTopics says that topics are missing or differ from what they should be. Its text names them and the cure.
var ErrTopics = errors.New("topics are not as the catalogue says")

// Topic is what a deployment makes.
type Topic struct {
	Name       string
	Partitions int32
	// Config holds the broker's settings, such as "retention.ms".
	Config map[string]string
}

// Apply creates the topics that are missing, with the broker's default replication factor, and returns their names.
// The partition count of one that exists is never changed: keys would move.
func Apply(ctx context.Context, admin *kadm.Client, topics []Topic) (created []string, err error) {
	for _, t := range topics {
		config := make(map[string]*string, len(t.Config))
		for k, v := range t.Config {
			config[k] = &v
		}
		_, err := admin.CreateTopic(ctx, t.Partitions, -1, config, t.Name)
		switch {
		case err == nil:
			created = append(created, t.Name)
		case !errors.Is(err, kerr.TopicAlreadyExists):
			return created, fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return created, nil
}

// Check returns an error that wraps ErrTopics unless every one of names exists.
func Check(ctx context.Context, admin *kadm.Client, names []string) error {
	details, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	var missing []string
	for _, name := range names {
		switch err := details[name].Err; {
		case !details.Has(name), errors.Is(err, kerr.UnknownTopicOrPartition):
			missing = append(missing, name)
		case err != nil:
			return fmt.Errorf("look at topic %s: %w", name, err)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%w: missing %v; run `quadrille apply`", ErrTopics, missing)
	}
	return nil
}
