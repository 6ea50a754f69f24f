package checker

import "github.com/quadrille-platform/quadrille/platform/client"

// inOrder checks G3: the events of a topic and key appear in their order and are handled in it.
func (c *check) inOrder() {
	partitions := make(map[stream]int32)
	for key, facts := range c.facts {
		for n, r := range facts {
			if n == 0 {
				partitions[key] = r.Partition
				continue
			}
			before := facts[n-1]
			if r.Partition != partitions[key] {
				c.violated("G3", key.key, "its events on %s are in the partitions %d and %d", key.topic,
					partitions[key], r.Partition)
			}
			if r.Event.Sequence <= before.Event.Sequence {
				c.violated("G3", key.key, "%s at %s has the sequence %d, after %s with %d", r.kind(), r.at(),
					r.Event.Sequence, before.kind(), before.Event.Sequence)
			}
			if r.Event.Time.Before(before.Event.Time) {
				c.violated("G3", key.key, "%s at %s is earlier than %s before it", r.kind(), r.at(), before.kind())
			}
		}
		causes := make([]string, len(facts))
		for n, r := range facts {
			causes[n] = r.Event.Cause.ID
		}
		c.followed(key.key, c.owner[key.topic], causes)
	}
	for id, history := range c.Histories {
		c.followed(id, "order", causesOf(history))
	}
	c.handledInOrder()
}

func causesOf(history []client.OrderEvent) []string {
	causes := make([]string, len(history))
	for n, e := range history {
		causes[n] = e.CausationID
	}
	return causes
}

// followed checks that what a service did about a key came in the order in which its causes of each topic appeared.
func (c *check) followed(key, service string, causes []string) {
	last := make(map[string]Record)
	for _, id := range causes {
		cause, there := c.byID[id]
		if !there || string(cause.Key) != key {
			continue // a command, a timer, an answer
		}
		before, any := last[cause.Topic]
		if any && c.place[id] < c.place[before.Event.ID] {
			c.violated("G3", key, "%s handled %s at %s after %s at %s", service, cause.kind(), cause.at(),
				before.kind(), before.at())
		}
		last[cause.Topic] = cause
	}
}
