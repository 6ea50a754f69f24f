package checker

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/quadrille-platform/quadrille/schemas"
)

// poison checks G8: each bad record is a letter that holds its exact bytes, each dead letter has its copy, and the
// services are alive. That no other key was held back is what G6 says.
func (c *check) poison() {
	for service, err := range c.Alive {
		if err != nil {
			c.violated("G8", "", "%s does not answer: %v", service, err)
		}
	}
	for _, r := range c.Log {
		if !c.isPoison(r) {
			continue
		}
		for _, service := range c.consumers[r.Topic] {
			database, looked := c.Databases[service]
			if !looked || c.skips(service, r) {
				continue
			}
			letter := letterOf(database, r)
			if letter == nil {
				c.violated("G8", string(r.Key), "%s has no letter with the exact bytes of the record at %s", service,
					r.at())
				continue
			}
			row := c.rows[service][inboxKey{letter.Scope, letter.ID}]
			if row.State != stateDead && row.State != stateDiscarded && !c.waits(service, *letter) {
				c.violated("G8", string(r.Key), "%s has the record at %s as %q, not as dead", service, r.at(),
					row.State)
			}
		}
	}
	for service, database := range c.Databases {
		for _, l := range database.Letters {
			switch c.rows[service][inboxKey{l.Scope, l.ID}].State {
			case stateDead:
				c.copied(service, l)
			case stateDiscarded:
				if !slices.Contains(passing, l.Class) && c.owner[l.Scope] != "" {
					c.copied(service, l)
				}
			}
		}
	}
}

// passing are the classes of what is tried again for a while, as every timer and answer is: an operator may have
// discarded it before it was dead.
var passing = []string{"unknown_schema", "not_yet", "save", "behind"}

// waits reports whether a letter that would have been tried again for a while is parked behind an earlier one of its
// key: it is not looked at before that is gone.
func (c *check) waits(service string, l Letter) bool {
	if c.rows[service][inboxKey{l.Scope, l.ID}].State != stateParked || !slices.Contains(passing, l.Class) {
		return false
	}
	for _, earlier := range c.Databases[service].Letters {
		if earlier.Scope != l.Scope || !bytes.Equal(earlier.Key, l.Key) {
			continue
		}
		if earlier.ID == l.ID {
			return false
		}
		switch c.rows[service][inboxKey{earlier.Scope, earlier.ID}].State {
		case stateParked, stateDead:
			return true
		}
	}
	return false
}

// copied checks that a dead letter has its copy in the service's topic of dead letters.
func (c *check) copied(service string, l Letter) {
	topic, seen := schemas.DeadLetterTopic(service), false
	for _, p := range c.Partitions {
		seen = seen || p.Topic == topic
	}
	if !seen {
		return
	}
	for _, r := range c.Log {
		if r.Topic == topic && r.header("dl_scope") == l.Scope && r.header("dl_id") == l.ID && r.copies(l) {
			return
		}
	}
	c.violated("G8", string(l.Key), "the dead letter %s of %s is not on %s", l.ID, service, topic)
}

// copies reports whether a record has the bytes of a letter, or their digest if they were too many.
func (r Record) copies(l Letter) bool {
	if digest := r.header("dl_value_sha256"); digest != "" {
		return digest == fmt.Sprintf("%x", sha256.Sum256(l.Value))
	}
	return bytes.Equal(r.Value, l.Value)
}

// header returns the first of a name.
func (r Record) header(name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
