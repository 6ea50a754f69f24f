package kafka_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

func TestRetentionIsThatOfTheLongestTopic(t *testing.T) {
	hour := time.Hour
	type settings = map[string]string
	tests := map[string]struct {
		topics  []settings
		want    time.Duration
		forever bool
	}{
		"no topic": {nil, 0, false},
		"retention and segment": {
			[]settings{{"retention.ms": "3600000", "segment.ms": "7200000"}}, 3 * hour, false,
		},
		"the longest of two": {
			[]settings{{"retention.ms": "3600000", "segment.ms": "3600000"}, {"retention.ms": "7200000", "segment.ms": "3600000"}},
			3 * hour, false,
		},
		"what is not said is the default":  {[]settings{{}}, 14 * 24 * hour, false},
		"without end":                      {[]settings{{"retention.ms": "3600000"}, {"retention.ms": "-1"}}, 0, true},
		"compacted only":                   {[]settings{{"cleanup.policy": "compact", "retention.ms": "3600000"}}, 0, true},
		"compacted and deleted":            {[]settings{{"cleanup.policy": "compact,delete", "retention.ms": "3600000", "segment.ms": "0"}}, hour, false},
		"longer than a duration is":        {[]settings{{"retention.ms": "9223372036854775807"}}, 0, true},
		"a segment longer than a duration": {[]settings{{"retention.ms": "3600000", "segment.ms": "9223372036854775807"}}, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			admin := newAdmin(t, startBroker(t, 1))
			var names []string
			for i, s := range test.topics {
				config := make(map[string]*string)
				for k, v := range s {
					config[k] = kadm.StringPtr(v)
				}
				name := string(rune('a'+i)) + ".events"
				if _, err := admin.CreateTopic(t.Context(), 1, -1, config, name); err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			got, forever, err := kafka.Retention(t.Context(), admin, names...)
			if err != nil || got != test.want || forever != test.forever {
				t.Errorf("%v, forever %t, %v; want %v, forever %t", got, forever, err, test.want, test.forever)
			}
		})
	}
}

func TestRetentionOfATopicThatIsNotThereIsAnError(t *testing.T) {
	admin := newAdmin(t, startBroker(t, 1))
	if _, _, err := kafka.Retention(t.Context(), admin, topic, "missing.events"); err == nil {
		t.Error("no error")
	}
}
