package catalogue

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/schemas"
)

func printed(t *testing.T, c Command) string {
	t.Helper()
	var out strings.Builder
	if err := c.run(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestThePageOfEventsIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(printed(t, Command{Markdown: true}), string(got)); diff != "" {
		t.Errorf("docs/events.md differs from the catalogue; run `make generate` (-want +got):\n%s", diff)
	}
}

func TestTheTableHasEveryEventWithItsReaders(t *testing.T) {
	lines := strings.Split(printed(t, Command{}), "\n")
	for _, r := range schemas.Records() {
		found := false
		for _, line := range lines {
			words := strings.Fields(line)
			found = found || len(words) > 0 && words[0] == r.Simple() && strings.Contains(line, list(r.Consumers))
		}
		if !found {
			t.Errorf("%s, read by %s, is not there", r.Simple(), list(r.Consumers))
		}
	}
}

func TestATopicIsShownAlone(t *testing.T) {
	out := printed(t, Command{Topic: "product.events"})
	if !strings.Contains(out, "owner inventory, key sku") || !strings.Contains(out, "ProductUpdated") ||
		strings.Contains(out, "OrderPlaced") {
		t.Errorf("printed\n%s", out)
	}
}

func TestAnEventIsShownWithItsFields(t *testing.T) {
	for _, name := range []string{"OrderPlaced", "quadrille.order.OrderPlaced"} {
		out := printed(t, Command{Event: name})
		rows := make(map[string]string)
		for _, line := range strings.Split(out, "\n") {
			if words := strings.Fields(line); len(words) > 1 {
				rows[words[0]] = strings.Join(words[1:], " ")
			}
		}
		for field, want := range map[string]string{
			"email":         "string v1 yes ",
			"total":         "long v1 ",
			"lines":         "list of OrderLine v1 ",
			"lines.sku":     "string v1 ",
			"placed_at":     "timestamp-micros v1 ",
			"sales_channel": "null or string v2 ",
		} {
			if !strings.HasPrefix(rows[field], want) {
				t.Errorf("%s is shown as %q, want %q first", field, rows[field], want)
			}
		}
	}
}

func TestJSONHasAllOfIt(t *testing.T) {
	var topics []topic
	if err := json.Unmarshal([]byte(printed(t, Command{JSON: true, Event: "OrderCancelled"})), &topics); err != nil {
		t.Fatal(err)
	}
	if len(topics) != 1 || len(topics[0].Events) != 1 {
		t.Fatalf("got %+v", topics)
	}
	e := topics[0].Events[0]
	if e.Owner != "order" || e.Topic != "order.events" || len(e.Consumers) < 3 || e.Versions < 1 || e.Description == "" {
		t.Errorf("got %+v", e)
	}
	for _, f := range e.Fields {
		if f.Doc == "" || f.Type == "" || f.Since != 1 || f.PII != (f.Path == "detail") {
			t.Errorf("field %+v", f)
		}
	}
}

func TestWhatIsNotThereIsRefusedWithWhatThereIs(t *testing.T) {
	for want, c := range map[string]Command{
		"payment.events": {Topic: "payments"}, "StockReserved": {Event: "OrderShipped"},
	} {
		err := c.run(&strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestEveryFormOfATypeIsSaidInWords(t *testing.T) {
	r, err := parse(`{"type":"record","name":"R","fields":[
		{"name":"a","type":["null",{"type":"record","name":"S","fields":[{"name":"b","type":{"type":"map","values":"long"}}]}]},
		{"name":"c","type":{"type":"enum","name":"E","symbols":["x","y"]}},
		{"name":"d","type":{"type":"array","items":{"type":"bytes"}},"default":[]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []field{
		{Path: "a", Type: "null or S"}, {Path: "a.b", Type: "map of long"}, {Path: "c", Type: "E: x, y"},
		{Path: "d", Type: "list of bytes", Default: json.RawMessage("[]")},
	}
	if diff := cmp.Diff(want, r.fields("")); diff != "" {
		t.Error(diff)
	}
}
