package checker

import (
	"bytes"
	"slices"

	"github.com/quadrille-platform/quadrille/schemas"
)

// poison checks G8: each bad record is a letter that holds its exact bytes, and the services are alive. That no other
// key was held back is what G6 says.
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
			if row.State != stateDead && row.State != stateDiscarded {
				c.violated("G8", string(r.Key), "%s has the record at %s as %q, not as dead", service, r.at(),
					row.State)
			}
			c.copied(service, *letter, row.State)
		}
	}
}

// passing are the classes of what is tried again for a while: an operator may have discarded it before it was dead.
var passing = []string{"unknown_schema", "not_yet", "save", "behind"}

// copied checks that a dead letter has its copy in the service's topic of dead letters.
func (c *check) copied(service string, l Letter, state string) {
	if state == stateDiscarded && slices.Contains(passing, l.Class) {
		return
	}
	topic, seen := schemas.DeadLetterTopic(service), false
	for _, p := range c.Partitions {
		seen = seen || p.Topic == topic
	}
	if !seen {
		return
	}
	for _, r := range c.Log {
		if r.Topic == topic && bytes.Equal(r.Value, l.Value) && bytes.Equal(r.Key, l.Key) {
			return
		}
	}
	c.violated("G8", string(l.Key), "the dead letter %s of %s is not on %s", l.ID, service, topic)
}
