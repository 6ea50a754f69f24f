// Package catalogue is `quadrille catalogue`: who publishes which event, who reads it, and what it says.
package catalogue

import (
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/schemas"
)

// topic of the catalogue with the events on it.
type topic struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Owner       string   `json:"owner"`
	Consumers   []string `json:"consumers"`
	Key         string   `json:"key"`
	Partitions  int      `json:"partitions"`
	// Kept says for how long, in words.
	Kept   string  `json:"kept"`
	Events []event `json:"events"`
}

// event is a record of the contracts.
type event struct {
	Name        string   `json:"name"`
	Record      string   `json:"record"`
	Topic       string   `json:"topic"`
	Description string   `json:"description"`
	Owner       string   `json:"owner"`
	Consumers   []string `json:"consumers"`
	// Versions is how many there are.
	Versions int     `json:"versions"`
	Fields   []field `json:"fields"`
}

// read returns all topics.
func read() ([]topic, error) {
	golden := schemas.Golden()
	var topics []topic
	for _, t := range schemas.Topics() {
		shown := topic{
			Name: t.Name, Description: t.Description, Owner: t.Owner, Consumers: orNone(t.Consumers), Key: t.Key,
			Partitions: t.Partitions, Kept: kept(t), Events: []event{},
		}
		for _, r := range schemas.Records() {
			if r.Topic != t.Name {
				continue
			}
			e, err := readEvent(r, golden[r.Name])
			if err != nil {
				return nil, fmt.Errorf("schema of %s: %w", r.Name, err)
			}
			shown.Events = append(shown.Events, e)
		}
		topics = append(topics, shown)
	}
	return topics, nil
}

func readEvent(r schemas.Record, versions []schemas.Version) (event, error) {
	record, err := parse(r.Schema)
	if err != nil {
		return event{}, err
	}
	e := event{
		Name: r.Simple(), Record: r.Name, Topic: r.Topic, Description: record.Doc, Owner: r.Owner,
		Consumers: orNone(r.Consumers), Versions: len(versions), Fields: record.fields(""),
	}
	since := make(map[string]int)
	for i, v := range versions {
		earlier, err := parse(v.Schema)
		if err != nil {
			return event{}, fmt.Errorf("version %d: %w", i+1, err)
		}
		for _, f := range earlier.fields("") {
			if since[f.Path] == 0 {
				since[f.Path] = i + 1
			}
		}
	}
	for i, f := range e.Fields {
		e.Fields[i].Since = since[f.Path]
	}
	return e, nil
}

// orNone makes an empty list of none, as JSON shows it.
func orNone(names []string) []string { return append([]string{}, names...) }

func kept(t schemas.Topic) string {
	if t.Compacted {
		return "the last of each key for ever"
	}
	return fmt.Sprintf("%d days", t.Retention/(24*time.Hour))
}
