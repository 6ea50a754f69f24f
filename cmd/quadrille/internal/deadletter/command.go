// Package deadletter is `quadrille deadletter`: what operators see of messages that could not be handled, and what they
// do about them.
package deadletter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// Command is `quadrille deadletter`.
type Command struct {
	List    listCommand    `cmd:"" help:"List messages that are parked or dead."`
	Show    showCommand    `cmd:"" help:"Show one: the record, what was done to it, what waits behind it."`
	Redrive redriveCommand `cmd:"" help:"Have dead ones tried again."`
	Discard discardCommand `cmd:"" help:"Give messages up for good, so that those behind them go on."`
}

// Filter says which letters are meant.
type Filter struct {
	Service   []string  `help:"Only letters of this service (default: all)." placeholder:"NAME" predictor:"service"`
	Topic     criterion `help:"Only what came on this topic; timer and call name what came on none." placeholder:"NAME" predictor:"topic"`
	Key       criterion `help:"Only this key: an order's id, or a sku." placeholder:"KEY"`
	Type      criterion `help:"Only events that claim this type, such as OrderPlaced." placeholder:"NAME" predictor:"type"`
	Class     criterion `help:"Only this class of failure, such as undecodable or refused." placeholder:"NAME" predictor:"class"`
	OlderThan criterion `help:"Only what failed first, or came to wait, at least so long ago, such as 10m." placeholder:"DURATION"`
}

// criterion of a Filter. An empty one is a mistake, such as a shell's variable that is not set: it would mean all.
type criterion string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *criterion) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty: leave it out, or give what is meant")
	}
	*c = criterion(text)
	return nil
}

// Classes of failures, for completion.
func Classes() []string {
	return []string{
		"headers", "undecodable", "unknown_schema", "contradiction", "refused", "not_yet", "panic", "save", "encode",
		"behind",
	}
}

func (f Filter) of(state string) client.DeadLetterFilter {
	return client.DeadLetterFilter{
		State: state, Topic: string(f.Topic), Key: string(f.Key), Type: string(f.Type), Class: string(f.Class),
		OlderThan: string(f.OlderThan),
	}
}

// services that are meant, of those that c knows.
func (f Filter) services(c *client.Client) ([]string, error) {
	known := slices.Sorted(maps.Keys(c.Admin))
	if len(f.Service) == 0 {
		return known, nil
	}
	for _, name := range f.Service {
		if err := checkService(name, known); err != nil {
			return nil, err
		}
	}
	return f.Service, nil
}

func checkService(name string, known []string) error {
	if !slices.Contains(known, name) {
		return fmt.Errorf("no service is called %q; there are %s", name, strings.Join(known, ", "))
	}
	return nil
}

// letterID is a letter of a service, written order/17.
type letterID struct {
	service string
	number  int64
}

// String is what UnmarshalText reads.
func (id letterID) String() string { return fmt.Sprintf("%s/%d", id.service, id.number) }

// UnmarshalText reads order/17.
func (id *letterID) UnmarshalText(text []byte) error {
	service, number, found := strings.Cut(string(text), "/")
	n, err := strconv.ParseInt(number, 10, 64)
	if !found || service == "" || err != nil || n < 1 {
		return fmt.Errorf("%q is no letter: one is written order/17", text)
	}
	*id = letterID{service, n}
	return nil
}
