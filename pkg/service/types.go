package service

import (
	"fmt"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// Types picks event types out of the contracts by their short names, such as "OrderPlaced". A name that is not there
// is a mistake of the program, found when it starts: Types panics.
func Types[R ~struct {
	Name, Topic, Schema string
	New                 func() any
}](records []R, names ...string) []serde.Type {
	types := make([]serde.Type, len(names))
	for i, name := range names {
		for _, r := range records {
			if t := serde.Type(r); strings.HasSuffix(t.Name, "."+name) {
				types[i] = t
			}
		}
		if types[i].Name == "" {
			panic(fmt.Sprintf("service: no event type %s in the contracts", name))
		}
	}
	return types
}

func encoder(codec *serde.Codec) func(*event.Event) ([]byte, error) {
	return func(e *event.Event) ([]byte, error) {
		t, ok := codec.TypeOf(e.Data)
		if !ok {
			return nil, fmt.Errorf("%T is no type that this service publishes", e.Data)
		}
		e.Type, e.Topic = t.Name, t.Topic
		return codec.Append(nil, e.Data)
	}
}

// topics of types, each once.
func topics(types []serde.Type) []string {
	var names []string
	seen := make(map[string]bool)
	for _, t := range types {
		if !seen[t.Topic] {
			seen[t.Topic] = true
			names = append(names, t.Topic)
		}
	}
	return names
}
