package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// foulRecord is a record with a header that is no text.
func foulRecord() *kgo.Record {
	return &kgo.Record{
		Topic: "order.events", Partition: 3, Offset: 7, Key: []byte("tea"), Value: []byte("garbage"),
		Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte("some-id")}, {Key: "raw", Value: []byte{0xff}}},
	}
}

func TestALetterHoldsTheBytesOfItsRecord(t *testing.T) {
	id, raw := "some-id", "/w=="
	kept := func() *client.DeadRecord {
		return &client.DeadRecord{
			Partition: 3, Offset: 7, Key: []byte("tea"), Value: []byte("garbage"), Headers: []client.DeadHeader{
				{Name: "ce_id", Value: &id}, {Name: "cmF3", Value: &raw, Base64: true},
			},
		}
	}
	refusal(t, sameBytes(foulRecord(), kept()), "")
	refusal(t, sameBytes(foulRecord(), nil), "no record")
	for name, spoil := range map[string]func(*client.DeadRecord){
		"value":  func(r *client.DeadRecord) { r.Value = []byte("garbagf") },
		"key":    func(r *client.DeadRecord) { r.Key = nil },
		"offset": func(r *client.DeadRecord) { r.Offset = 8 },
		"header": func(r *client.DeadRecord) { r.Headers[1].Base64 = false },
		"absent": func(r *client.DeadRecord) { r.Headers = r.Headers[:1] },
		"null":   func(r *client.DeadRecord) { r.Headers[0].Value = nil },
	} {
		other := kept()
		if spoil(other); sameBytes(foulRecord(), other) == nil {
			t.Errorf("another %s is the same", name)
		}
	}
	letter := client.OpenedDeadLetter{
		DeadLetter: client.DeadLetter{State: "dead", Class: "headers", Head: true, Error: "no id"}, Record: kept(),
	}
	refusal(t, spoilt{"headers", foulRecord()}.in(letter), "")
	refusal(t, spoilt{"undecodable", foulRecord()}.in(letter), "the dead letter is 0, dead")
}

func TestThereIsOneCopyOfADeadLetter(t *testing.T) {
	copied := func(service string, offset int) *kgo.Record {
		c := foulRecord()
		c.Headers = append([]kgo.RecordHeader{
			{Key: "dl_service", Value: []byte(service)}, {Key: "dl_scope", Value: []byte("order.events")},
			{Key: "dl_class", Value: []byte("headers")}, {Key: "dl_partition", Value: []byte("3")},
			{Key: "dl_offset", Value: fmt.Append(nil, offset)},
		}, c.Headers...)
		return c
	}
	own, foreign, earlier := copied("payment", 7), copied("order", 7), copied("payment", 6)
	altered := copied("payment", 7)
	altered.Value = []byte("garbagf")
	bare := copied("payment", 7)
	bare.Headers = append(bare.Headers[:5:5], kgo.RecordHeader{Key: "ce_id"}, kgo.RecordHeader{Key: "raw"})
	tests := []struct {
		name    string
		copies  []*kgo.Record
		refused string
	}{
		{"one among others", []*kgo.Record{foreign, own, earlier, {}}, ""},
		{"none", []*kgo.Record{foreign, earlier}, "there are 0"},
		{"two", []*kgo.Record{own, own}, "there are 2"},
		{"other bytes", []*kgo.Record{altered}, "differs"},
		{"other headers", []*kgo.Record{bare}, "differs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refusal(t, copyOf(foulRecord(), "payment", tt.copies), tt.refused) })
	}
}

func TestARecordIsKnownByItsEventOrItsPlace(t *testing.T) {
	r := foulRecord()
	if got := messageOf(r); got != "some-id" {
		t.Errorf("known by %q", got)
	}
	r.Headers = nil
	// SHA-256 of "garbage", as sha256sum has it.
	const want = "3/7/795b6904e54f82411df4b0e27a373a55eea3f9d66dac5a9bce1dd92f7b401da5"
	if got := messageOf(r); got != want {
		t.Errorf("without headers known by %q", got)
	}
}

func TestAPlatformWithAnOpenLetterIsNotLeftAlone(t *testing.T) {
	var letters []client.DeadLetter
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"items": letters})
	}))
	defer admin.Close()
	here := admin.Listener.Addr().String()
	on := &site{Platform: &launch.Platform{
		Client: client.New(client.Addresses{
			Services: map[string]string{"order": here, "payment": here},
			Admin:    map[string]string{"order": here, "payment": "127.0.0.1:1"},
		}),
		LeftOut: map[string][]string{"payment": nil}, // where nobody answers
	}}
	refusal(t, noLetters(t.Context(), on), "")
	letters = []client.DeadLetter{{ID: 4, State: "parked", Type: "quadrille.order.OrderPlaced", Class: "not_yet"}}
	refusal(t, noLetters(t.Context(), on), "order has 1 open letters, the first 4, parked OrderPlaced")
}

func TestGarbageIsKeptApartOnTheTape(t *testing.T) {
	read := &tape{
		byKey: map[string][]record{}, spoilt: map[string]bool{"garbage": true},
		deadLetters: map[string]bool{"order.deadletter": true},
	}
	read.note(t.Context(), foulRecord())
	copied := foulRecord()
	copied.Topic = "order.deadletter"
	read.note(t.Context(), copied)
	refusal(t, read.fault(), "")
	if got := read.copied(); len(got) != 1 || got[0] != copied || len(read.sizes()) != 0 {
		t.Errorf("copies %v, records %v", got, read.sizes())
	}
	other := foulRecord()
	other.Value = []byte("more garbage")
	read.note(t.Context(), other)
	refusal(t, read.fault(), "offset 7")
	if n := read.sizes()["tea"]; n != 1 {
		t.Errorf("%d records", n)
	}
}

func TestOneAfterAnother(t *testing.T) {
	among := []string{"OrderPlaced", "StockReserved", "OrderCancelled", "StockReleased"}
	refusal(t, inOrder(among, "StockReserved", "StockReleased"), "")
	refusal(t, inOrder(among, "StockReleased", "StockReserved"), "StockReserved is not where")
	refusal(t, inOrder(among, "StockReserved", "StockCommitted"), "StockCommitted is not where")
}

func TestRecordsOfOthersAreNoticed(t *testing.T) {
	before := map[string]int{"a": 2}
	refusal(t, onlyAbout([]string{"b"}, before, map[string]int{"a": 2, "b": 3}), "")
	refusal(t, onlyAbout([]string{"b"}, before, map[string]int{"a": 3, "b": 3}), "1 records of a")
	refusal(t, onlyAbout(nil, before, map[string]int{"a": 2, "b": 3}), "3 records of b")
}

func TestListsThatDiffer(t *testing.T) {
	list := func(price int64, status ...string) (l lists) {
		l.price = client.Money{Amount: price}
		for _, s := range status {
			l.orders = append(l.orders, client.Order{Status: s})
		}
		return l
	}
	was := list(5, "confirmed", "cancelled")
	refusal(t, was.same(list(5, "confirmed", "cancelled")), "")
	refusal(t, was.same(list(1, "confirmed", "cancelled")), "the listed price was")
	refusal(t, was.same(list(5, "confirmed")), "2 orders were listed and 1 are")
	refusal(t, was.same(list(5, "confirmed", "confirmed")), "the list had")
}

func TestAGroupThatHasNotReadAll(t *testing.T) {
	ends := kadm.ListedOffsets{"order.events": {0: {Offset: 5}, 1: {Offset: 0}}}
	committed := make(kadm.OffsetResponses)
	refusal(t, read("payment", ends, committed), "payment is at 0 of 5 in partition 0")
	committed.Add(kadm.OffsetResponse{Offset: kadm.Offset{Topic: "order.events", Partition: 0, At: 4}})
	refusal(t, read("payment", ends, committed), "payment is at 4 of 5 in partition 0")
	committed.Add(kadm.OffsetResponse{Offset: kadm.Offset{Topic: "order.events", Partition: 0, At: 5}})
	refusal(t, read("payment", ends, committed), "")
}
