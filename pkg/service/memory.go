package service

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

const (
	// rememberLonger is added to what the topics say: brokers look for old segments now and then, and clocks differ.
	rememberLonger = 24 * time.Hour
	// askWithin bounds a question to the broker.
	askWithin = 10 * time.Second
)

// rememberEvents returns for how long the inbox must know an event, as work.Pruner asks: for as long as a consumed
// topic can deliver it again. Topics that are not logged in the inbox do not count.
func rememberEvents(admin *kadm.Client, consumed []string, unlogged map[string]bool,
) func(context.Context) (time.Duration, error) {
	var logged []string
	for _, topic := range consumed {
		if !unlogged[topic] {
			logged = append(logged, topic)
		}
	}
	return func(ctx context.Context) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		longest, forever, err := kafka.Retention(ctx, admin, logged...)
		switch {
		case err != nil:
			return 0, err
		case forever:
			return work.Forever, nil
		}
		return longest + rememberLonger, nil
	}
}
