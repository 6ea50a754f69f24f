package checker

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// The states of inbox rows.
const (
	stateDone      = "done"
	stateParked    = "parked"
	stateDead      = "dead"
	stateDiscarded = "discarded"
)

// index is a State with what the checks look up.
type index struct {
	State
	// facts are the first appearances of the events of each topic and key, in the order of the log. What the test
	// appended itself is none.
	facts map[stream][]Record
	// byID has the first appearance of each event.
	byID map[string]Record
	// place of a first appearance among those of its stream.
	place    map[string]int
	injected map[position]Injected
	// rows are those of the inboxes, by service.
	rows map[string]map[inboxKey]InboxRow
	// open are the keys that a letter holds back somewhere: parked or dead, or an event that was discarded.
	open map[string]bool
	// paid are the intents of the gateway by order, as they stand now.
	paid map[string]client.Intent
	// refused are the calls to which the gateway said no.
	refused map[gatewayCall]bool
	// consumers of topics, and the types that each service wants, by full name.
	consumers map[string][]string
	wanted    map[string]map[string]bool
	unlogged  map[string]bool
	owner     map[string]string
}

type stream struct{ topic, key string }

type inboxKey struct{ scope, id string }

// gatewayCall is an operation of the gateway for an order.
type gatewayCall struct{ orderID, operation string }

type position struct {
	topic     string
	partition int32
	offset    int64
}

func newIndex(s State) *index {
	i := &index{
		State: s, facts: make(map[stream][]Record), byID: make(map[string]Record), place: make(map[string]int),
		injected: make(map[position]Injected), open: make(map[string]bool), paid: make(map[string]client.Intent),
		rows: make(map[string]map[inboxKey]InboxRow), refused: make(map[gatewayCall]bool),
		consumers: make(map[string][]string), wanted: make(map[string]map[string]bool),
		unlogged: make(map[string]bool), owner: make(map[string]string),
	}
	for _, t := range schemas.Topics() {
		i.owner[t.Name] = t.Owner
		i.consumers[t.Name] = t.Consumers
		i.unlogged[t.Name] = t.Compacted
	}
	for _, r := range schemas.Records() {
		for _, service := range r.Consumers {
			if i.wanted[service] == nil {
				i.wanted[service] = make(map[string]bool)
			}
			i.wanted[service][r.Name] = true
		}
	}
	for _, in := range s.Injected {
		i.injected[position{in.Topic, in.Partition, in.Offset}] = in
	}
	for _, r := range s.Log {
		i.note(r)
	}
	for service, database := range s.Databases {
		i.rows[service] = make(map[inboxKey]InboxRow, len(database.Inbox))
		for _, row := range database.Inbox {
			i.rows[service][inboxKey{row.Scope, row.ID}] = row
			_, published := i.byID[row.ID]
			if row.State == stateParked || row.State == stateDead || row.State == stateDiscarded && published {
				i.open[row.Resource] = true
			}
		}
	}
	for _, letters := range s.Letters {
		for _, l := range letters {
			i.open[l.Key] = true
		}
	}
	for _, operation := range s.Operations {
		i.paid[operation.After.Reference] = operation.After
		if operation.Code != "" {
			i.refused[gatewayCall{operation.After.Reference, operation.Operation}] = true
		}
	}
	return i
}

// OpenKeys are those about which some service has a parked or dead letter, sorted.
func (s State) OpenKeys() []string {
	keys := make(map[string]bool)
	for _, database := range s.Databases {
		for _, row := range database.Inbox {
			if row.State == stateParked || row.State == stateDead {
				keys[row.Resource] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// note keeps the first appearance of an event that a service published.
func (i *index) note(r Record) {
	if r.Fault != nil || r.Event.ID == "" || i.isInjected(r) {
		return
	}
	if _, seen := i.byID[r.Event.ID]; seen {
		return
	}
	key := stream{r.Topic, string(r.Key)}
	i.byID[r.Event.ID] = r
	i.place[r.Event.ID] = len(i.facts[key])
	i.facts[key] = append(i.facts[key], r)
}

func (i *index) isInjected(r Record) bool {
	_, injected := i.injected[position{r.Topic, r.Partition, r.Offset}]
	return injected
}

// about returns the facts of a kind in a topic about a key.
func (i *index) about(topic, key, kind string) []Record {
	var found []Record
	for _, r := range i.facts[stream{topic, key}] {
		if r.kind() == kind {
			found = append(found, r)
		}
	}
	return found
}

// told reports whether a kind of event about an order is on its topic.
func (i *index) told(topic, key, kind string) bool { return len(i.about(topic, key, kind)) > 0 }

// events is the topic of a service.
func events(service string) string { return service + ".events" }

// services that run, in a fixed order.
func (i *index) services() []string {
	var names []string
	for _, owner := range i.owner {
		names = append(names, owner)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// kind is the last part of the type, such as OrderPlaced.
func (r Record) kind() string { return simple(r.Event.Type) }

func simple(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// at says where it is.
func (r Record) at() string { return fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset) }

// inboxID is the id under which a consumer knows the record.
func (r Record) inboxID() string {
	if r.Event.ID != "" {
		return r.Event.ID
	}
	return fmt.Sprintf("%d/%d/%x", r.Partition, r.Offset, sha256.Sum256(r.Value))
}
