package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/schemas"
)

func TestPersonalDataShowsOnlyOnDemand(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	for _, pii := range []bool{false, true} {
		for _, asJSON := range []bool{false, true} {
			c := w.command()
			c.PII, c.JSON = pii, asJSON
			var out bytes.Buffer
			if err := c.print(t.Context(), &out, &out); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), `"email":"ada@example.com"`); got != pii {
				t.Errorf("pii %t shows\n%s", pii, out.String())
			}
		}
	}
}

// An event that lost its frame is still full of personal data.
func TestWhatCannotBeDecodedMayBePersonal(t *testing.T) {
	w := startWorld(t)
	good, err := w.codec.Append(nil, placed(one))
	if err != nil {
		t.Fatal(err)
	}
	w.raw(t, &kgo.Record{Topic: "order.events", Timestamp: start, Key: []byte(one), Value: good[1:]})
	email, sum := hex.EncodeToString([]byte("ada@example.com")), fmt.Sprintf("%x", sha256.Sum256(good[1:]))
	for _, pii := range []bool{false, true} {
		for _, asJSON := range []bool{false, true} {
			c := w.command()
			c.PII, c.JSON = pii, asJSON
			var out bytes.Buffer
			if err := c.print(t.Context(), &out, &out); err != nil {
				t.Fatal(err)
			}
			said := out.String()
			if strings.Contains(said, email) != pii || strings.Contains(said, "ada@") {
				t.Errorf("pii %t shows\n%s", pii, said)
			}
			if !strings.Contains(said, sum) && (asJSON || !pii) {
				t.Errorf("pii %t lacks the SHA-256 %s:\n%s", pii, sum, said)
			}
			if !pii && !asJSON && !strings.Contains(said, fmt.Sprintf("%d bytes, ", len(good)-1)) {
				t.Errorf("it lacks the length:\n%s", said)
			}
		}
	}
}

func TestALineSaysWhatHappenedAndWhy(t *testing.T) {
	w := startWorld(t)
	w.put(t, 1, 1, one, &schemas.StockReserved{OrderID: one, ReservedAt: start})
	var out bytes.Buffer
	if err := w.command().print(t.Context(), &out, &out); err != nil {
		t.Fatal(err)
	}
	want := "2026-03-01T12:00:01.000Z  inventory.events/1/0      StockReserved           " + one +
		"  #1  id 00000001  cause 000000ca  correlation 000000c0  " +
		`{"order_id":"` + one + `","lines":[],"reserved_at":"2026-03-01T12:00:00Z"}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeDecodedIsShownWithTheReason(t *testing.T) {
	w := startWorld(t)
	good, err := w.codec.Append(nil, placed(one))
	if err != nil {
		t.Fatal(err)
	}
	kind := kgo.RecordHeader{Key: "ce_type", Value: []byte("quadrille.order.OrderPlaced")}
	w.raw(t,
		&kgo.Record{Topic: "order.events", Timestamp: start, Key: []byte("a"), Value: []byte("\x1b[31mhello"), Headers: []kgo.RecordHeader{kind}},
		&kgo.Record{Topic: "order.events", Timestamp: start, Key: []byte("b\x1b[2J"), Value: []byte{0, 0, 0, 3, 9, 1}},
		&kgo.Record{Topic: "order.events", Timestamp: start, Key: []byte("c"), Value: good},
		&kgo.Record{Topic: "product.events", Timestamp: start.Add(time.Second), Key: []byte("tea-001"), Value: nil},
	)
	c := w.command()
	c.Type = []string{"OrderPlaced"} // what has no type might be one
	events := shown(t, c)
	if len(events) != 4 {
		t.Fatalf("shown are %+v", events)
	}
	for i, want := range []struct {
		says   string
		length int
		data   string
	}{
		{"malformed event data: no schema id", 10, "null"},
		{"unknown schema id 777", 6, "null"},
		{"bad event headers", 0, `{"order_id":"` + one},
		{"bad event headers", 0, "null"},
	} {
		e := events[i]
		if !strings.Contains(e.Error, want.says) || e.Length != want.length || !strings.HasPrefix(string(e.Data), want.data) {
			t.Errorf("event %d: %+v", i, e)
		}
	}

	var out bytes.Buffer
	if err := w.command().print(t.Context(), &out, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("as text:\n%q", out.String())
	}
	for i, want := range []string{
		"! malformed event data: no schema id", "6 bytes, SHA-256 ", `"order_id":"` + one, "tombstone",
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d lacks %q: %s", i, want, lines[i])
		}
	}
}

func TestACopyOfADeadLetterSaysWhyItIsDead(t *testing.T) {
	w := startWorld(t)
	w.raw(t, &kgo.Record{
		Topic: "payment.deadletter", Timestamp: start, Key: []byte(one), Value: []byte("no event"),
		Headers: []kgo.RecordHeader{
			{Key: "dl_service", Value: []byte("payment")}, {Key: "dl_scope", Value: []byte("order.events")},
			{Key: "dl_class", Value: []byte("undecodable")}, {Key: "dl_error", Value: []byte("no schema\nid")},
			{Key: "dl_attempts", Value: []byte("1")},
		},
	})
	c := w.command()
	c.Order = one
	var out bytes.Buffer
	if err := c.print(t.Context(), &out, &out); err != nil {
		t.Fatal(err)
	}
	want := "dead in payment: undecodable: no schema\uFFFDid, 1 tries, came on order.events"
	if strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), want) {
		t.Errorf("shown, without %q:\n%s", want, out.String())
	}
	if e := shown(t, c); len(e) != 1 || e[0].Headers["dl_class"] != "undecodable" || e[0].Topic != "payment.deadletter" {
		t.Errorf("as JSON %+v", e)
	}
}
