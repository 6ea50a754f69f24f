package kafka_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// A consumer hands batches to whatever takes them, here a function that prints, and in a service work.Unit.Take.
func ExampleConsumer() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "order.events"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	brokers := kafka.Config{Brokers: cluster.ListenAddrs(), ClientID: "example"}

	ctx, stop := context.WithCancel(context.Background())
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig[string]{
		Config: brokers, Group: "payment", Topics: []string{"order.events"},
		Decode: func(_ context.Context, r *kgo.Record) (work.Message[string], bool, error) {
			return work.Message[string]{Scope: r.Topic, Key: string(r.Key), Input: string(r.Value)}, true, nil
		},
		Take: func(_ context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
			for _, m := range messages {
				fmt.Println(m.Scope, m.Key, m.Input)
			}
			stop() // once it is handled; its offset is committed before Run returns
			return nil, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	producer, err := kafka.NewClient(brokers)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer producer.Close()
	producer.ProduceSync(ctx, &kgo.Record{Topic: "order.events", Key: []byte("42"), Value: []byte("placed")})

	fmt.Println("ended with", consumer.Run(ctx))
	// Output:
	// order.events 42 placed
	// ended with <nil>
}
