package checker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

const maxKey = 255 // bytes, as consumers have it

// topicLog reads the topics of the catalogue.
type topicLog struct {
	client *kgo.Client
	admin  *kadm.Client
	codec  *serde.Codec
	topics []string
	// dead are the topics that hold copies of what could not be handled, which are not read as events.
	dead map[string]bool
}

func openLog(ctx context.Context, from Sources) (*topicLog, error) {
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	codec, err := serde.New(ctx, from.Registry, types)
	if err != nil {
		return nil, fmt.Errorf("schemas of the registry: %w", err)
	}
	client, err := from.Kafka()
	if err != nil {
		return nil, fmt.Errorf("client of the brokers: %w", err)
	}
	l := &topicLog{client: client, admin: kadm.NewClient(client), codec: codec, dead: make(map[string]bool)}
	for _, t := range schemas.Topics() {
		l.topics = append(l.topics, t.Name)
		l.dead[t.Name] = t.DeadLetters
	}
	return l, nil
}

func (l *topicLog) close() { l.client.Close() }

// partitions notes how long each is and how far each group has come.
func (l *topicLog) partitions(ctx context.Context, _ Sources, s *State) error {
	starts, err := l.admin.ListStartOffsets(ctx, l.topics...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("start offsets: %w", err)
	}
	groups := make(map[string]kadm.OffsetResponses)
	for _, service := range newIndex(State{}).services() {
		committed, err := l.admin.FetchOffsets(ctx, service)
		if err == nil {
			err = committed.Error()
		}
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return fmt.Errorf("offsets of group %s: %w", service, err)
		}
		groups[service] = committed
	}
	// Last, so that a group is never ahead.
	ends, err := l.admin.ListEndOffsets(ctx, l.topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("end offsets: %w", err)
	}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		p := Partition{
			Topic: end.Topic, ID: end.Partition, Start: start.Offset, End: end.Offset,
			Committed: make(map[string]int64),
		}
		for service, committed := range groups {
			if o, ok := committed.Lookup(end.Topic, end.Partition); ok && o.At >= 0 {
				p.Committed[service] = o.At
			}
		}
		s.Partitions = append(s.Partitions, p)
	})
	return nil
}

// read reads every partition from its start to its end.
func (l *topicLog) read(ctx context.Context, from Sources, s *State) error {
	ends := make(map[string]map[int32]int64)
	assigned := make(map[string]map[int32]kgo.Offset)
	left := 0
	for _, p := range s.Partitions {
		if p.Start == p.End {
			continue
		}
		if ends[p.Topic] == nil {
			ends[p.Topic], assigned[p.Topic] = make(map[int32]int64), make(map[int32]kgo.Offset)
		}
		ends[p.Topic][p.ID], assigned[p.Topic][p.ID] = p.End, kgo.NewOffset().At(p.Start)
		left++
	}
	if left == 0 {
		return nil
	}
	reader, err := from.Kafka(kgo.ConsumePartitions(assigned))
	if err != nil {
		return fmt.Errorf("client of the brokers: %w", err)
	}
	defer reader.Close()
	for left > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read the topics: %w", err)
		}
		for r := range fetches.RecordsAll() {
			end := ends[r.Topic][r.Partition]
			if r.Offset >= end {
				continue // it came since
			}
			noted, err := l.note(ctx, r)
			if err != nil {
				return err
			}
			s.Log = append(s.Log, noted)
			if r.Offset == end-1 {
				left--
			}
		}
	}
	slices.SortFunc(s.Log, func(a, b Record) int {
		if a.Topic != b.Topic {
			return strings.Compare(a.Topic, b.Topic)
		}
		if a.Partition != b.Partition {
			return int(a.Partition) - int(b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return nil
}

// note reads a record as a consumer would that wants every type. An error says that the registry is away.
func (l *topicLog) note(ctx context.Context, r *kgo.Record) (Record, error) {
	noted := Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value,
		Headers: make([]event.Header, len(r.Headers)),
	}
	for i, h := range r.Headers {
		noted.Headers[i] = event.Header(h)
	}
	if l.dead[r.Topic] {
		return noted, nil
	}
	noted.Event, noted.Fault = event.Parse(r.Key, noted.Headers)
	noted.Event.Topic = r.Topic
	switch {
	case noted.Fault != nil:
		return noted, nil
	case len(r.Key) > maxKey || !utf8.Valid(r.Key) || bytes.IndexByte(r.Key, 0) >= 0:
		noted.Fault = kafka.ErrKey
		return noted, nil
	case r.Value == nil:
		return noted, nil
	}
	written, data, err := l.codec.Decode(ctx, r.Topic, r.Value)
	switch {
	case errors.Is(err, serde.ErrUnavailable) || ctx.Err() != nil:
		return noted, fmt.Errorf("read %s: %w", noted.at(), err)
	case err != nil && !errors.Is(err, serde.ErrUnknownType):
		noted.Fault = err
	case written.Name != noted.Event.Type:
		noted.Fault = fmt.Errorf("%w: ce_type says %q, the schema %s", event.ErrHeaders, noted.Event.Type, written.Name)
	case err != nil:
		noted.Unknown = true
	default:
		noted.Event.Data = data
	}
	return noted, nil
}
