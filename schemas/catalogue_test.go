package schemas

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestEveryTopicOfARecordIsInTheCatalogue(t *testing.T) {
	used := make(map[string]bool)
	for _, r := range Records() {
		used[r.Topic] = true
		if !slices.ContainsFunc(Topics(), func(topic Topic) bool { return topic.Name == r.Topic }) {
			t.Errorf("%s is published on %s, which the catalogue lacks", r.Name, r.Topic)
		}
		if _, owner, _ := strings.Cut(strings.TrimSuffix(r.Name, "."+r.Simple()), "."); owner != r.Owner {
			t.Errorf("%s is of the namespace of %s, but %s owns %s", r.Name, owner, r.Owner, r.Topic)
		}
		if got := r.New().EventType(); got != r.Name {
			t.Errorf("%s is called %s by its Go type", r.Name, got)
		}
	}
	for _, topic := range Topics() {
		if !used[topic.Name] && !topic.DeadLetters {
			t.Errorf("nothing is published on %s", topic.Name)
		}
		for name := range topic.events {
			if !slices.ContainsFunc(Records(), func(r Record) bool { return r.Simple() == name && r.Topic == topic.Name }) {
				t.Errorf("%s of %s has consumers but no schema", name, topic.Name)
			}
		}
		if topic.Owner == "" || topic.Description == "" || topic.Partitions < 1 {
			t.Errorf("%s: owner, description and partitions must be set", topic.Name)
		}
	}
}

func TestEveryConsumerHasATopicForDeadLetters(t *testing.T) {
	for _, service := range []string{"inventory", "notification", "order", "payment"} {
		i := slices.IndexFunc(Topics(), func(topic Topic) bool { return topic.Name == DeadLetterTopic(service) })
		if i < 0 {
			t.Errorf("%s has none", service)
			continue
		}
		topic := Topics()[i]
		if topic.Owner != service || topic.MaxBytes != 2<<20 || topic.Retention == 0 || topic.Compacted ||
			len(topic.Consumers) > 0 {
			t.Errorf("%+v", topic)
		}
	}
}

// walk visits every object of a schema with the path to it.
func walk(node any, path string, visit func(path string, object map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		if name, ok := n["name"].(string); ok {
			path += "/" + name
		}
		visit(path, n)
		for _, v := range n {
			walk(v, path, visit)
		}
	case []any:
		for _, v := range n {
			walk(v, path, visit)
		}
	}
}

func TestSchemasAreDocumentedAndMarkPersonalData(t *testing.T) {
	personal := []string{"customer_id", "email", "payment_method", "detail"}
	for _, r := range Records() {
		var parsed any
		if err := json.Unmarshal([]byte(r.Schema), &parsed); err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		walk(parsed, "", func(path string, object map[string]any) {
			name, named := object["name"].(string)
			if named && object["doc"] == nil {
				t.Errorf("%s%s has no doc", r.Topic, path)
			}
			if object["type"] == "enum" && object["default"] != "unknown" {
				t.Errorf("%s%s: an enum's default must be unknown", r.Topic, path)
			}
			if slices.Contains(personal, name) && object["pii"] != true {
				t.Errorf(`%s%s holds personal data and must say "pii": true`, r.Topic, path)
			}
		})
	}
}

func TestPersonalDataIsNotLogged(t *testing.T) {
	var log strings.Builder
	secret := "tok_secret"
	slog.New(slog.NewJSONHandler(&log, nil)).Info("placed", "event", &OrderPlaced{
		OrderID: "o-1", CustomerID: secret, Email: secret, PaymentMethod: secret,
	}, "cancelled", OrderCancelled{Detail: &secret})
	if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "o-1") {
		t.Errorf("logged %s", log.String())
	}
}

func ExampleRecords() {
	for _, r := range Records() {
		if r.Topic == "order.events" {
			fmt.Printf("%s %T\n", r.Name, r.New())
		}
	}
	// Output:
	// quadrille.order.OrderCancelled *schemas.OrderCancelled
	// quadrille.order.OrderConfirmed *schemas.OrderConfirmed
	// quadrille.order.OrderPlaced *schemas.OrderPlaced
}
