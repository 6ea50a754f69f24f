package kafka

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Kafka's own defaults, for brokers that do not tell theirs.
const (
	defaultRetention = 7 * 24 * time.Hour
	defaultSegment   = 7 * 24 * time.Hour
)

// Retention returns for how long any of names may still deliver a record after it was handled: a record stays until all
// of its segment is older than the topic's retention, and a segment grows for segment.ms. Forever is true of a topic
// that limits the age of its records by nothing. Without names it is 0.
func Retention(ctx context.Context, admin *kadm.Client, names ...string) (longest time.Duration, forever bool,
	err error) {
	configs, err := admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return 0, false, fmt.Errorf("ask for the retention of topics: %w", err)
	}
	for _, c := range configs {
		if c.Err != nil {
			return 0, false, fmt.Errorf("ask for the retention of topic %s: %w", c.Name, c.Err)
		}
		settings := make(map[string]string, len(c.Configs))
		for _, setting := range c.Configs {
			settings[setting.Key] = setting.MaybeValue()
		}
		retention, limited, err := duration(settings, "retention.ms", defaultRetention)
		if err != nil {
			return 0, false, fmt.Errorf("topic %s: %w", c.Name, err)
		}
		segment, _, err := duration(settings, "segment.ms", defaultSegment)
		if err != nil {
			return 0, false, fmt.Errorf("topic %s: %w", c.Name, err)
		}
		policy, told := settings["cleanup.policy"]
		if !limited || told && !strings.Contains(policy, "delete") || retention > math.MaxInt64/2-segment {
			return 0, true, nil
		}
		longest = max(longest, retention+segment)
	}
	return longest, false, nil
}

// duration of a setting in milliseconds. Limited is false of a negative one.
func duration(settings map[string]string, name string, otherwise time.Duration) (d time.Duration, limited bool,
	err error) {
	text, told := settings[name]
	if !told || text == "" {
		return otherwise, true, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("%s is %q: %w", name, text, err)
	case ms < 0:
		return 0, false, nil
	}
	// Some 146 years, so that a sum of two is a duration still.
	return time.Duration(min(ms, math.MaxInt64/2/int64(time.Millisecond))) * time.Millisecond, true, nil
}
