package broker_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/broker"
)

func Example() {
	ctx := context.Background()
	b, err := broker.Start(broker.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if _, err := kadm.NewClient(client).CreateTopic(ctx, 6, 1, nil, "greetings"); err != nil {
		fmt.Println(err)
		return
	}
	record, err := client.ProduceSync(ctx, &kgo.Record{Topic: "greetings", Value: []byte("hello")}).First()
	fmt.Println(record.Offset, err)
	// Output: 0 <nil>
}
