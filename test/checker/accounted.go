package checker

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// accounted checks G7: every record has been read, and each service that consumes its topic has handled it, set it
// aside as a letter, or skips its type.
func (c *check) accounted() {
	for _, p := range c.Partitions {
		for _, service := range c.consumers[p.Topic] {
			if err := p.lag(service); err != nil {
				c.violated("G7", "", "%v", err)
			}
		}
	}
	for _, r := range c.Log {
		for _, service := range c.consumers[r.Topic] {
			database, looked := c.Databases[service]
			if !looked || c.skips(service, r) || c.isHandled(service, r) || letterOf(database, r) != nil {
				continue
			}
			if c.unlogged[r.Topic] && r.Fault == nil && !c.isPoison(r) {
				continue // what it changes is in the catalogue
			}
			c.violated("G7", string(r.Key), "%s has neither handled %s at %s nor set it aside", service, r.name(),
				r.at())
		}
	}
	c.listed()
	c.discarded()
	c.unexpected()
}

// listed checks that operators are shown every open letter.
func (c *check) listed() {
	for service, letters := range c.Letters {
		shown := make(map[inboxKey]bool, len(letters))
		for _, l := range letters {
			shown[inboxKey{l.Topic, l.MessageID}] = true
		}
		for key, row := range c.rows[service] {
			if (row.State == stateParked || row.State == stateDead) && !shown[key] {
				c.violated("G7", row.Resource, "%s does not list its %s letter %s of %s", service, row.State, key.id,
					key.scope)
			}
		}
	}
}

// discarded checks that what will never be handled was given up by an operator with a name.
func (c *check) discarded() {
	for service, database := range c.Databases {
		ruled := make(map[inboxKey]bool)
		for _, r := range database.Rulings {
			if r.Action == client.Discard && strings.TrimSpace(r.Operator) != "" {
				ruled[inboxKey{r.Scope, r.ID}] = true
			}
		}
		for key, row := range c.rows[service] {
			if row.State == stateDiscarded && !ruled[key] {
				c.violated("G7", row.Resource, "%s has %s of %s as discarded, and no operator has done so", service,
					key.id, key.scope)
			}
		}
	}
}

// skips reports whether a service passes over a record: of a type that it does not want, or a tombstone.
func (c *check) skips(service string, r Record) bool {
	switch {
	case r.Fault == nil && !c.isPoison(r):
		return r.Unknown || r.Value == nil && !c.unlogged[r.Topic] || r.Value != nil && !c.wanted[service][r.Event.Type]
	case r.Event.Type == "" || r.Event.Key == "":
		return false
	default:
		// Sound headers of a type that is not wanted: what the bytes say is not looked at.
		_, err := event.Parse(r.Key, r.Headers)
		return err == nil && !c.wanted[service][r.Event.Type]
	}
}

// isHandled reports whether a service's inbox has the record with these bytes.
func (c *check) isHandled(service string, r Record) bool {
	row, there := c.rows[service][inboxKey{r.Topic, r.inboxID()}]
	digest := sha256.Sum256(r.Value)
	return there && bytes.Equal(row.Digest, digest[:])
}

func (i *index) isPoison(r Record) bool {
	return i.injected[position{r.Topic, r.Partition, r.Offset}].Poison
}

// name is what a record says it is.
func (r Record) name() string {
	if r.Event.Type == "" {
		return "a record"
	}
	return r.kind() + " (" + r.Event.ID + ")"
}

// letterOf returns the letter that holds a record, or an equal one, with its exact bytes; nil if there is none.
func letterOf(d Database, r Record) *Letter {
	for i, l := range d.Letters {
		if l.Scope == r.Topic && bytes.Equal(l.Key, r.Key) && bytes.Equal(l.Value, r.Value) &&
			(l.Partition == r.Partition && l.Offset == r.Offset || l.ID == r.inboxID()) &&
			sameHeaders(l.headers(), r.Headers) {
			return &d.Letters[i]
		}
	}
	return nil
}

func (l Letter) headers() []event.Header {
	var pairs [][2]string
	if json.Unmarshal([]byte(l.Headers), &pairs) != nil {
		return nil
	}
	headers := make([]event.Header, len(pairs))
	for i, p := range pairs {
		name, err1 := base64.StdEncoding.DecodeString(p[0])
		value, err2 := base64.StdEncoding.DecodeString(p[1])
		if err1 != nil || err2 != nil {
			return nil
		}
		headers[i] = event.Header{Key: string(name), Value: value}
	}
	return headers
}

// unexpected looks for letters of what nobody has spoilt.
func (c *check) unexpected() {
	spoilt := make(map[stream]bool) // by what the test appended: what comes behind it waits
	for _, r := range c.Log {
		if c.isPoison(r) || c.isInjected(r) && r.Fault != nil {
			spoilt[stream{r.Topic, string(r.Key)}] = true
		}
	}
	for service, rows := range c.rows {
		for key, row := range rows {
			if row.State != stateParked && row.State != stateDead || spoilt[stream{row.Scope, row.Resource}] {
				continue
			}
			what, class := "", ""
			for _, l := range c.Databases[service].Letters {
				if l.Scope == key.scope && l.ID == key.id {
					what, class = l.Error, l.Class
				}
			}
			if r, published := c.byID[row.ID]; published && spoilt[stream{r.Topic, string(r.Key)}] {
				continue
			}
			c.violated("G6", row.Resource, "%s has a %s letter (%s) of %s %s, which nobody spoilt: %s", service,
				row.State, class, row.Scope, row.ID, what)
		}
	}
}
