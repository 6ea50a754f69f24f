package service

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// decodeWithin bounds the wait for a schema when a letter is opened.
const decodeWithin = 3 * time.Second

// DeadLetter is a message that could not be handled, without what it says.
type DeadLetter struct {
	ID        int64            `json:"id" doc:"In this service; later ones are higher"`
	State     work.LetterState `json:"state" doc:"parked: tried again by itself; dead: waits for an operator; discarded"`
	Topic     string           `json:"topic" doc:"Or timer, or call"`
	Key       string           `json:"key"`
	MessageID string           `json:"message_id" doc:"The event's id"`
	Type      string           `json:"type" doc:"As its headers claim, however wrong"`
	Head      bool             `json:"head" doc:"First in the queue of its topic and key: only that one can be moved"`
	Attempts  int64            `json:"attempts" doc:"Since it came or was last redriven"`
	Class     work.Class       `json:"class" doc:"Of the failure, stable"`
	Error     string           `json:"error" doc:"For people"`
	ArrivedAt time.Time        `json:"arrived_at"`
	// Absent while it only waits behind another.
	FirstFailedAt *time.Time `json:"first_failed_at,omitempty"`
	LastFailedAt  *time.Time `json:"last_failed_at,omitempty"`
	RetryAt       *time.Time `json:"retry_at,omitempty" doc:"When a parked one is due"`
}

// OpenedDeadLetter is a dead letter with all that is known of it.
type OpenedDeadLetter struct {
	DeadLetter
	Record  *DeadRecord  `json:"record,omitempty" doc:"Absent for a timer or an answer, which are made again"`
	Rulings []DeadRuling `json:"rulings" doc:"What operators did to it, oldest first"`
	Waiting int64        `json:"waiting" doc:"How many wait behind it"`
	Behind  []DeadLetter `json:"behind" doc:"The first of them"`
}

// DeadRecord is a consumed record, to the byte if personal data is asked for: nobody knows which of its bytes are.
type DeadRecord struct {
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Headers   []DeadHeader `json:"headers"`
	Key       []byte       `json:"key,omitzero" doc:"Absent if the record has none"`
	Value     []byte       `json:"value,omitzero" doc:"Only if personal data is asked for"`
	Size      int          `json:"value_size" doc:"Of the value in bytes"`
	SHA256    string       `json:"value_sha256,omitempty" doc:"Of the value, in hex. Absent for a tombstone"`
	// Schema and what follows are there as far as the value could be decoded.
	Schema      int         `json:"schema_id,omitempty"`
	Name        string      `json:"schema_name,omitempty" doc:"Of the schema that it was written with"`
	Data        DecodedData `json:"data,omitzero" doc:"The decoded value; personal data is ***, unless asked for"`
	DecodeError string      `json:"decode_error,omitempty" doc:"Why there is no data"`
}

// DecodedData is a JSON object as the viewer of events writes it: a number keeps all its digits.
type DecodedData json.RawMessage

var _ huma.SchemaProvider = DecodedData(nil)

// MarshalJSON returns it as it is.
func (d DecodedData) MarshalJSON() ([]byte, error) { return d, nil }

// Schema describes it to readers of the API.
func (DecodedData) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// DeadHeader of a record. A name or value that is no text is in base64, and says so.
type DeadHeader struct {
	Name   string  `json:"name"`
	Value  *string `json:"value,omitempty"`
	Base64 bool    `json:"base64,omitempty" doc:"Both name and value are in base64"`
	Masked bool    `json:"masked,omitempty" doc:"There is a value, shown only if personal data is asked for"`
}

// DeadRuling is what an operator did.
type DeadRuling struct {
	Action   work.Action `json:"action" enum:"redrive,discard"`
	Operator string      `json:"operator"`
	Reason   string      `json:"reason"`
	At       time.Time   `json:"at"`
}

func deadLetterOf(l work.Letter) DeadLetter {
	return DeadLetter{
		ID: l.Seq, State: l.State, Topic: l.Scope, Key: l.Key, MessageID: l.ID, Type: l.Type, Head: l.Head,
		Attempts: l.Attempts, Class: l.Class, Error: l.Error, ArrivedAt: l.ArrivedAt, FirstFailedAt: l.FirstFailed,
		LastFailedAt: l.LastFailed, RetryAt: l.RetryAt,
	}
}

func (d *deadLetters) openedOf(ctx context.Context, l *work.OpenedLetter, personal bool) OpenedDeadLetter {
	opened := OpenedDeadLetter{
		DeadLetter: deadLetterOf(l.Letter), Waiting: l.Waiting, Rulings: []DeadRuling{}, Behind: []DeadLetter{},
	}
	for _, r := range l.Rulings {
		opened.Rulings = append(opened.Rulings, DeadRuling(r))
	}
	for _, behind := range l.Behind {
		opened.Behind = append(opened.Behind, deadLetterOf(behind))
	}
	if l.Record != nil {
		opened.Record = d.recordOf(ctx, *l.Record, personal)
	}
	return opened
}

func (d *deadLetters) recordOf(ctx context.Context, r work.Record, personal bool) *DeadRecord {
	record := &DeadRecord{
		Partition: r.Partition, Offset: r.Offset, Key: r.Key, Size: len(r.Value), Headers: []DeadHeader{},
	}
	for _, h := range r.Headers {
		header := deadHeaderOf(h)
		if h.Value != nil && !personal && !isEnvelope(h.Key) {
			header.Value, header.Masked = nil, true
		}
		record.Headers = append(record.Headers, header)
	}
	if r.Value == nil {
		return record
	}
	digest := sha256.Sum256(r.Value)
	record.SHA256 = hex.EncodeToString(digest[:])
	if personal {
		record.Value = r.Value
	}
	ctx, cancel := context.WithTimeout(ctx, decodeWithin)
	defer cancel()
	view, err := d.viewer.View(ctx, r.Value, personal)
	record.Schema, record.Name, record.Data = view.Schema, view.Name, view.JSON
	if err != nil {
		record.DecodeError = decodeError(err)
	}
	return record
}

// decodeError says why a value could not be decoded. Of a registry that is away it does not tell the address.
func decodeError(err error) string {
	if errors.Is(err, serde.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return "the schema registry is away"
	}
	return err.Error()
}

// isEnvelope reports whether a header is one of those that events have: they name, and say nothing of people.
func isEnvelope(name string) bool {
	return strings.HasPrefix(name, "ce_") || name == "content-type" || name == "traceparent"
}

func deadHeaderOf(h event.Header) DeadHeader {
	var value *string
	if h.Value != nil {
		value = new(string)
	}
	if isPrintable(h.Key) && isPrintable(string(h.Value)) {
		if value != nil {
			*value = string(h.Value)
		}
		return DeadHeader{Name: h.Key, Value: value}
	}
	if value != nil {
		*value = base64.StdEncoding.EncodeToString(h.Value)
	}
	return DeadHeader{Name: base64.StdEncoding.EncodeToString([]byte(h.Key)), Value: value, Base64: true}
}

func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
