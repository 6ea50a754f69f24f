package serde_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

type greeting struct {
	Words string `avro:"words"`
}

func (*greeting) EventType() string { return "demo.Greeting" }

func Example() {
	registry := srfake.New() // in its place stands a schema registry
	defer registry.Close()
	client, err := serde.NewClient(registry.URL())
	if err != nil {
		log.Fatal(err)
	}
	types := []serde.Type{{
		Name: "demo.Greeting", Topic: "demo.events", New: func() event.Data { return new(greeting) },
		Schema: `{"type":"record","name":"Greeting","namespace":"demo","fields":[{"name":"words","type":"string"}]}`,
	}}

	ctx := context.Background()
	if err := serde.Register(ctx, client, types); err != nil { // the deployment does this
		log.Fatal(err)
	}
	codec, err := serde.New(ctx, client, types) // and the service this
	if err != nil {
		log.Fatal(err)
	}
	value, err := codec.Append(nil, &greeting{Words: "hello"})
	if err != nil {
		log.Fatal(err)
	}
	t, data, err := codec.Decode(ctx, "demo.events", value)
	fmt.Printf("%x\n%s %+v %v\n", value, t.Name, data, err)
	// Output:
	// 00000000010a68656c6c6f
	// demo.Greeting &{Words:hello} <nil>
}

func ExampleCheck() {
	err := serde.Check(
		`{"type":"record","name":"Greeting","fields":[{"name":"words","type":"string"}]}`,
		`{"type":"record","name":"Greeting","fields":[{"name":"words","type":"string"},{"name":"to","type":"string"}]}`)
	fmt.Println(err)
	// Output:
	// incompatible schema: required field added: field to is added without a default: what was written before cannot be read
}
