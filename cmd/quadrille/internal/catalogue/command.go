package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// Command is `quadrille catalogue`.
type Command struct {
	Topic    string `help:"Show this topic only." xor:"what" placeholder:"NAME" predictor:"topic"`
	Event    string `help:"Show this event with its fields." xor:"what" placeholder:"NAME" predictor:"type"`
	JSON     bool   `help:"Print as JSON, fields included." xor:"form"`
	Markdown bool   `help:"Print as a page, fields included: docs/events.md." xor:"form"`
}

// Help is shown by `quadrille catalogue --help`.
func (Command) Help() string {
	return `The catalogue is part of the program: it needs no platform to be running. A service that publishes what
another owns, or reads what the catalogue does not grant it, does not start.

Examples:

  quadrille catalogue
  quadrille catalogue --topic payment.events
  quadrille catalogue --event OrderPlaced
  quadrille catalogue --json`
}

// Run prints the catalogue.
func (c Command) Run(context.Context) error { return c.run(os.Stdout) }

func (c Command) run(out io.Writer) error {
	topics, err := read()
	if err != nil {
		return err
	}
	if topics, err = c.pick(topics); err != nil {
		return err
	}
	switch {
	case c.JSON:
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(topics)
	case c.Markdown:
		_, err = io.WriteString(out, page(topics))
	case c.Event != "":
		err = printEvent(out, topics[0].Events[0])
	default:
		err = printTopics(out, topics)
	}
	if err != nil {
		return fmt.Errorf("print the catalogue: %w", err)
	}
	return nil
}

// pick returns what the flags ask for. An event comes with its topic, alone on it.
func (c Command) pick(topics []topic) ([]topic, error) {
	if c.Topic == "" && c.Event == "" {
		return topics, nil
	}
	var topicNames, eventNames []string
	for _, t := range topics {
		if t.Name == c.Topic {
			return []topic{t}, nil
		}
		topicNames = append(topicNames, t.Name)
		for _, e := range t.Events {
			if c.Event != "" && (e.Name == c.Event || e.Record == c.Event) {
				t.Events = []event{e}
				return []topic{t}, nil
			}
			eventNames = append(eventNames, e.Name)
		}
	}
	if c.Topic != "" {
		return nil, fmt.Errorf("no topic is called %q; there are %s", c.Topic, strings.Join(topicNames, ", "))
	}
	slices.Sort(eventNames)
	return nil, fmt.Errorf("no event is called %q; there are %s", c.Event, strings.Join(eventNames, ", "))
}

func printTopics(out io.Writer, topics []topic) error {
	for i, t := range topics {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s  %s\n", t.Name, t.Description)
		fmt.Fprintf(out, "owner %s, key %s, %d partitions, kept %s\n", t.Owner, t.Key, t.Partitions, t.Kept)
		if len(t.Events) == 0 {
			continue
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  EVENT\tVERSIONS\tREAD BY\tWHAT IT SAYS")
		for _, e := range t.Events {
			fmt.Fprintf(table, "  %s\t%d\t%s\t%s\n", e.Name, e.Versions, list(e.Consumers), e.Description)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func printEvent(out io.Writer, e event) error {
	fmt.Fprintf(out, "%s on %s  %s\n", e.Record, e.Topic, e.Description)
	fmt.Fprintf(out, "owner %s, read by %s, versions %d\n", e.Owner, list(e.Consumers), e.Versions)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  FIELD\tTYPE\tSINCE\tPERSONAL\tWHAT IT SAYS")
	for _, f := range e.Fields {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", f.Path, f.Type, since(f), personal(f), f.Doc)
	}
	return table.Flush()
}

func list(names []string) string {
	if len(names) == 0 {
		return "nobody yet"
	}
	return strings.Join(names, ", ")
}

func since(f field) string {
	if f.Since == 0 {
		return "next"
	}
	return fmt.Sprintf("v%d", f.Since)
}

func personal(f field) string {
	if f.PII {
		return "yes"
	}
	return ""
}
