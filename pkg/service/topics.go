package service

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

// checkTopics is nil if the brokers answer and have the topics.
func checkTopics(ctx context.Context, client *kgo.Client, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if err := kafka.Reach(ctx, client); err != nil {
		return of("KAFKA_BROKERS", err)
	}
	return kafka.Check(ctx, kadm.NewClient(client), names)
}
