package events

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

const retryEvery = time.Second

// Event is an object of `quadrille events --json`.
type Event struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"` // of the record
	Key       string    `json:"key"`
	// Type is the record name of the writer's schema; that of the header for a tombstone and what cannot be decoded.
	Type          string            `json:"type,omitempty"`
	Schema        int               `json:"schema_id,omitempty"`
	ID            string            `json:"id,omitempty"`
	Sequence      int64             `json:"sequence,omitempty"`
	CausationID   string            `json:"causation_id,omitempty"`
	CorrelationID string            `json:"correlation_id,omitempty"`
	Headers       map[string]string `json:"headers"`
	// Data is null for a tombstone, and for what cannot be decoded: that has Error, its length and its SHA-256. Its
	// bytes may be personal, so that Hex holds them only with --pii.
	Data   json.RawMessage `json:"data"`
	Error  string          `json:"error,omitempty"`
	Length int             `json:"length,omitempty"`
	SHA256 string          `json:"sha256,omitempty"`
	Hex    string          `json:"hex,omitempty"`
}

// printer shows records as lines.
type printer struct {
	Command
	viewer  *serde.Viewer
	out     *bufio.Writer
	notes   io.Writer
	printed int
	away    bool // the registry, and it has been said
}

// print shows r unless it is filtered out. At the limit it returns errEnough.
func (p *printer) print(ctx context.Context, r *kgo.Record) error {
	e, err := p.decode(ctx, r)
	if err != nil {
		return err
	}
	if !p.wants(e) {
		return nil
	}
	if p.JSON {
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(e)
	} else {
		_, err = fmt.Fprintln(p.out, line(e))
	}
	if p.printed++; err == nil && p.Limit > 0 && p.printed >= p.Limit {
		err = errEnough
	}
	return err
}

// wants is true of what might be of a type that was asked for.
func (p *printer) wants(e Event) bool {
	if len(p.Type) == 0 || e.Type == "" {
		return true
	}
	for _, name := range p.Type {
		for _, has := range []string{e.Type, e.Headers["ce_type"]} {
			if name == has || name == short(has) {
				return true
			}
		}
	}
	return false
}

// decode fails only if the registry is away. Someone who follows waits for it.
func (p *printer) decode(ctx context.Context, r *kgo.Record) (Event, error) {
	headers := make([]event.Header, len(r.Headers))
	named := make(map[string]string, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = event.Header{Key: h.Key, Value: h.Value}
		if _, twice := named[h.Key]; !twice {
			named[h.Key] = string(h.Value)
		}
	}
	envelope, fault := event.Parse(r.Key, headers)
	e := Event{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UTC(), Key: string(r.Key),
		Type: envelope.Type, ID: envelope.ID, Sequence: envelope.Sequence, CausationID: envelope.Cause.ID,
		CorrelationID: envelope.Cause.Correlation, Headers: named,
	}
	if r.Value != nil {
		view, err := p.view(ctx, r.Value)
		if errors.Is(err, serde.ErrUnavailable) || ctx.Err() != nil {
			return e, err
		}
		if err != nil {
			sum := sha256.Sum256(r.Value)
			e.Length, e.SHA256 = len(r.Value), hex.EncodeToString(sum[:])
			if p.PII {
				e.Hex = hex.EncodeToString(r.Value)
			}
		}
		if fault == nil && view.Name != "" && view.Name != e.Type {
			fault = fmt.Errorf("%w: ce_type says %q", event.ErrHeaders, e.Type)
		}
		fault = errors.Join(err, fault)
		e.Type, e.Schema, e.Data = cmp.Or(view.Name, e.Type), view.Schema, view.JSON
	}
	if fault != nil {
		e.Error = strings.ReplaceAll(fault.Error(), "\n", "; ")
	}
	return e, nil
}

func (p *printer) view(ctx context.Context, value []byte) (serde.View, error) {
	for {
		view, err := p.viewer.View(ctx, value, p.PII)
		if !errors.Is(err, serde.ErrUnavailable) || ctx.Err() != nil {
			p.away = false
			return view, err
		}
		if !p.Follow {
			return view, fmt.Errorf("%w; --registry names another", err)
		}
		if !p.away {
			p.away = true
			fmt.Fprintf(p.notes, "quadrille: %v; trying again every %s\n", err, retryEvery)
		}
		select {
		case <-ctx.Done():
			return view, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

func topicNames() []string {
	var names []string
	for _, t := range schemas.Topics() {
		names = append(names, t.Name)
	}
	return names
}
