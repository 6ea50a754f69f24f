package serde_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// purchase is the newest version of a type that has whatever our events have.
type purchase struct {
	ID     string    `avro:"id"`
	Reason reason    `avro:"reason"`
	Detail *string   `avro:"detail"`
	Total  int64     `avro:"total"`
	ByHand bool      `avro:"by_hand"`
	Lines  []line    `avro:"lines"`
	At     time.Time `avro:"at"`
}

func (*purchase) EventType() string { return "shop.Purchase" }

type reason string

type line struct {
	SKU      string `avro:"sku"`
	Quantity int64  `avro:"quantity"`
}

const (
	topic = "shop.events"

	purchaseSchema = `{"type":"record","name":"Purchase","namespace":"shop","fields":[
		{"name":"id","type":"string"},
		{"name":"reason","type":{"type":"enum","name":"Reason","symbols":["unknown","gift","need"],"default":"unknown"}},
		{"name":"detail","type":["null","string"],"default":null},
		{"name":"total","type":"long"},
		{"name":"by_hand","type":"boolean","default":false},
		{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
			{"name":"sku","type":"string"},{"name":"quantity","type":"long"}]}}},
		{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`
)

var purchaseType = serde.Type{
	Name: "shop.Purchase", Topic: topic, Schema: purchaseSchema, New: func() event.Data { return new(purchase) },
}

func sample() *purchase {
	detail := "für mich"
	return &purchase{
		ID: "0192f0c1-1111-7000-8000-000000000001", Reason: "gift", Detail: &detail, Total: 129_900, ByHand: true,
		Lines: []line{{"mug-blue", 2}, {"tea-green", 1}, {"spoon", 12}},
		At:    time.Date(2026, 3, 1, 12, 30, 0, 123_456_000, time.UTC),
	}
}

// start returns a registry behind HTTP and a client of it.
func start(t testing.TB) (*srfake.Registry, *sr.Client) {
	t.Helper()
	registry := srfake.New()
	t.Cleanup(registry.Close)
	client, err := serde.NewClient(registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	return registry, client
}

// open returns a Codec for types, all registered.
func open(t testing.TB, client *sr.Client, types ...serde.Type) *serde.Codec {
	t.Helper()
	if err := serde.Register(t.Context(), client, types); err != nil {
		t.Fatal(err)
	}
	codec, err := serde.New(t.Context(), client, types)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func encode(t testing.TB, codec *serde.Codec, data event.Data) []byte {
	t.Helper()
	value, err := codec.Append(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestWhatIsAppendedDecodes(t *testing.T) {
	_, client := start(t)
	codec := open(t, client, purchaseType)

	value, err := codec.Append([]byte("before"), sample())
	if err != nil {
		t.Fatal(err)
	}
	got, data, err := codec.Decode(t.Context(), topic, value[len("before"):])
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "shop.Purchase" || got.Topic != topic {
		t.Errorf("decoded as %s of %s", got.Name, got.Topic)
	}
	if diff := cmp.Diff(sample(), data); diff != "" {
		t.Error(diff)
	}
}

func TestTypeOfKnowsItsTypesByTheirGoType(t *testing.T) {
	_, client := start(t)
	codec := open(t, client, purchaseType)
	if got, ok := codec.TypeOf(&purchase{}); !ok || got.Subject() != "shop.events-shop.Purchase" {
		t.Errorf("got %v %v", got, ok)
	}
	for _, other := range []event.Data{nil, &greeting{}} {
		if got, ok := codec.TypeOf(other); ok {
			t.Errorf("%T is said to be %s", other, got.Name)
		}
	}
}

func TestAppendRefusesWhatNoReaderAccepts(t *testing.T) {
	_, client := start(t)
	codec := open(t, client, purchaseType)
	tests := map[string]struct {
		change func(*purchase)
		want   error
	}{
		"a string with NUL":           {func(p *purchase) { p.ID = "a\x00b" }, serde.ErrMalformed},
		"a string with invalid UTF-8": {func(p *purchase) { p.Lines[1].SKU = "\xff" }, serde.ErrMalformed},
		"an unknown symbol":           {func(p *purchase) { p.Reason = "whim" }, serde.ErrMalformed},
		"a time nobody can write": {func(p *purchase) { p.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
			serde.ErrMalformed},
		"more than 64 KiB in a string": {func(p *purchase) { p.ID = strings.Repeat("a", 64<<10+1) },
			serde.ErrMalformed},
		"more than 10,000 lines": {func(p *purchase) { p.Lines = make([]line, 10_001) }, serde.ErrMalformed},
		"more than 256 KiB": {func(p *purchase) { p.Lines = []line{{SKU: strings.Repeat("a", serde.MaxSize)}} },
			serde.ErrTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := sample()
			test.change(p)
			if value, err := codec.Append(nil, p); !errors.Is(err, test.want) || value != nil {
				t.Errorf("got %d bytes and %v", len(value), err)
			}
		})
	}
	if _, err := codec.Append(nil, &greeting{}); !errors.Is(err, serde.ErrUnknownType) {
		t.Errorf("data of no type of ours: %v", err)
	}
}

func TestNewNamesWhatIsNotRegistered(t *testing.T) {
	registry, client := start(t)
	_, err := serde.New(t.Context(), client, []serde.Type{purchaseType})
	if !errors.Is(err, serde.ErrNotRegistered) {
		t.Fatalf("got %v", err)
	}
	want := "schema not registered: subject shop.events-shop.Purchase lacks this version; run `quadrille apply`"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if registry.SubjectExists(purchaseType.Subject()) {
		t.Error("New has registered something")
	}
}

func TestNewTellsARegistryThatIsAwayFromOneThatLacksASchema(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	address := away.URL
	types := []serde.Type{purchaseType}

	client, err := serde.NewClient(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serde.New(t.Context(), client, types); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("a server that is no registry: %v", err)
	}
	away.Close()
	if _, err := serde.New(t.Context(), client, types); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("a closed port: %v", err)
	}
}

func TestNewRefusesATypeThatContradictsItself(t *testing.T) {
	_, client := start(t)
	tests := map[string]string{
		"another name": `{"type":"record","name":"Other","namespace":"shop","fields":[]}`,
		"no record":    `"string"`,
		"no schema":    `{"type":"record"`,
		"recursive": `{"type":"record","name":"Purchase","namespace":"shop","fields":[
			{"name":"next","type":["null","Purchase"]}]}`,
	}
	for name, schema := range tests {
		t.Run(name, func(t *testing.T) {
			wrong := purchaseType
			wrong.Schema = schema
			if _, err := serde.New(t.Context(), client, []serde.Type{wrong}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestNewClientRefusesWhatIsNoURL(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8091", "ftp://127.0.0.1", "http://", "http://\x00"} {
		if _, err := serde.NewClient(address); err == nil {
			t.Errorf("%q was accepted", address)
		}
	}
}
