package service

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// contract is any type that can be converted to a serde.Type: the contracts are a module that does not know it.
type contract interface {
	~struct {
		Name, Topic, Schema string
		Owner               string
		Consumers           []string
		New                 func() event.Data
	}
}

// Types picks event types out of the contracts by their short names, such as "OrderPlaced". A name that is not there
// is a mistake of the program, found when it starts: Types panics.
func Types[R contract](records []R, names ...string) []serde.Type {
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

// Owned picks the event types that the service called name owns. These are what it publishes: no list can forget one.
func Owned[R contract](records []R, name string) []serde.Type {
	var types []serde.Type
	for _, r := range records {
		if t := serde.Type(r); t.Owner == name {
			types = append(types, t)
		}
	}
	return types
}

// granted returns an error for each event type that the service called name would publish though another owns it, or
// read though it is not among the consumers.
func granted(name string, publishes, consumes []serde.Type) error {
	var errs []error
	for _, t := range publishes {
		if t.Owner != name {
			errs = append(errs, fmt.Errorf("%s must not publish %s, which %s owns: publish an event of its own, "+
				"or make it the owner of %s in the catalogue of topics", name, t.Name, orNobody(t.Owner), t.Topic))
		}
	}
	for _, t := range consumes {
		if !slices.Contains(t.Consumers, name) {
			errs = append(errs, fmt.Errorf("%s must not read %s, which the catalogue grants to %s: "+
				"add %s to its consumers in the catalogue of topics",
				name, t.Name, orNobody(strings.Join(t.Consumers, ", ")), name))
		}
	}
	return errors.Join(errs...)
}

func orNobody(names string) string {
	if names == "" {
		return "nobody"
	}
	return names
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

// maxDeadLetter is the largest record for the topic of dead letters, which takes records of 2 MiB: what was consumed,
// at most 1 MiB, and some headers.
const maxDeadLetter = 2<<20 - 64<<10
