package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// DeadLetter is a message that a service could not handle, as its admin listener shows it.
type DeadLetter struct {
	ID        int64  `json:"id"`
	State     string `json:"state"` // parked, dead or discarded
	Topic     string `json:"topic"` // or timer, or call
	Key       string `json:"key"`
	MessageID string `json:"message_id"`
	Type      string `json:"type"` // as its headers claim
	Head      bool   `json:"head"` // first in the queue of its topic and key
	Attempts  int64  `json:"attempts"`
	Class     string `json:"class"` // of the failure
	Error     string `json:"error"`

	ArrivedAt     time.Time  `json:"arrived_at"`
	FirstFailedAt *time.Time `json:"first_failed_at,omitempty"`
	LastFailedAt  *time.Time `json:"last_failed_at,omitempty"`
	RetryAt       *time.Time `json:"retry_at,omitempty"`
}

// Since is when it failed first, or came to wait behind another.
func (l DeadLetter) Since() time.Time {
	if l.FirstFailedAt != nil {
		return *l.FirstFailedAt
	}
	return l.ArrivedAt
}

// OpenedDeadLetter is a dead letter with all that is known of it.
type OpenedDeadLetter struct {
	DeadLetter
	// Record is nil for a timer and the answer of a call.
	Record  *DeadRecord  `json:"record,omitempty"`
	Rulings []DeadRuling `json:"rulings"`
	Waiting int64        `json:"waiting"`
	Behind  []DeadLetter `json:"behind"` // the first of those that wait
}

// DeadRecord is a consumed record, to the byte if personal data was asked for.
type DeadRecord struct {
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Headers   []DeadHeader `json:"headers"`
	Key       []byte       `json:"key"`
	Value     []byte       `json:"value,omitzero"` // only if personal data was asked for
	Size      int          `json:"value_size"`
	SHA256    string       `json:"value_sha256,omitempty"` // of the value, in hex; empty for a tombstone
	// Data is the decoded value, DecodeError why there is none.
	Schema      int             `json:"schema_id,omitempty"`
	Name        string          `json:"schema_name,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
	DecodeError string          `json:"decode_error,omitempty"`
}

// DeadHeader of a record. Where name or value is no text both are in base64.
type DeadHeader struct {
	Name   string  `json:"name"`
	Value  *string `json:"value,omitempty"`
	Base64 bool    `json:"base64,omitempty"`
	Masked bool    `json:"masked,omitempty"` // there is a value, which was not asked for
}

// DeadRuling is what an operator did to a letter.
type DeadRuling struct {
	Action   string    `json:"action"`
	Operator string    `json:"operator"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
}

// DeadLetterFilter says which letters are meant. An empty field means all; an empty State, those that are parked or
// dead.
type DeadLetterFilter struct {
	State string `json:"state,omitempty"`
	Topic string `json:"topic,omitempty"`
	Key   string `json:"key,omitempty"`
	// Type is that of the event, or its last part.
	Type      string `json:"type,omitempty"`
	Class     string `json:"class,omitempty"`
	OlderThan string `json:"older_than,omitempty"` // such as 10m
}

func (f DeadLetterFilter) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"state": f.State, "topic": f.Topic, "key": f.Key, "type": f.Type, "class": f.Class, "older_than": f.OlderThan,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// maxPage is how many items a page of a list holds at most.
const maxPage = 100

// DeadLetters returns the oldest letters of a service that fit, at most limit, and whether there are more.
func (c *Client) DeadLetters(ctx context.Context, service string, f DeadLetterFilter, limit int) (letters []DeadLetter,
	more bool, err error) {
	type page struct {
		Items      []DeadLetter `json:"items"`
		NextCursor string       `json:"next_cursor"`
	}
	query := f.query()
	for {
		query.Set("limit", strconv.Itoa(min(maxPage, limit-len(letters))))
		p, err := get[page](ctx, c, c.Admin[service], deadLetters+"?"+query.Encode())
		if err != nil {
			return nil, false, err
		}
		letters = append(letters, p.Items...)
		if p.NextCursor == "" || len(letters) >= limit {
			return letters, p.NextCursor != "", nil
		}
		query.Set("cursor", p.NextCursor)
	}
}

// DeadLetter returns one letter with all that is known of it. Unless personal is true, personal data in the decoded
// value is masked, and the value's bytes are left out, as are headers that are not those of an event.
func (c *Client) DeadLetter(ctx context.Context, service string, id int64, personal bool) (OpenedDeadLetter, error) {
	return get[OpenedDeadLetter](ctx, c, c.Admin[service], fmt.Sprintf("%s/%d?personal=%t", deadLetters, id, personal))
}

// What an operator can do to a letter.
const (
	Redrive = "redrive"
	Discard = "discard"
)

// Rule redrives or discards one letter in the name of operator, and returns it as it then stands.
func (c *Client) Rule(ctx context.Context, service string, id int64, action, operator, reason string) (DeadLetter,
	error) {
	var letter DeadLetter
	_, err := c.by(operator).Call(ctx, http.MethodPost,
		fmt.Sprintf("http://%s%s/%d/%s", c.Admin[service], deadLetters, id, action),
		map[string]string{"reason": reason}, &letter)
	return letter, err
}

// Sweep asks for many letters to be redriven or discarded.
type Sweep struct {
	Filter DeadLetterFilter `json:"filter"`
	Limit  int              `json:"limit,omitempty"`
	Cursor string           `json:"cursor,omitempty"`
	DryRun bool             `json:"dry_run,omitempty"`
	Reason string           `json:"reason,omitempty"`
}

// Swept says how far a Sweep has come. Without NextCursor nothing more can be moved.
type Swept struct {
	Moved      int64  `json:"moved"`
	Left       int64  `json:"left"`
	NextCursor string `json:"next_cursor"`
}

// RuleMany redrives or discards letters that fit, in the name of operator.
func (c *Client) RuleMany(ctx context.Context, service, action, operator string, s Sweep) (Swept, error) {
	var swept Swept
	_, err := c.by(operator).Call(ctx, http.MethodPost, "http://"+c.Admin[service]+deadLetters+"/"+action, s, &swept)
	return swept, err
}

const deadLetters = "/admin/v1/dead-letters"

func (c *Client) by(operator string) *Client { return c.With("Quadrille-Operator", operator) }
