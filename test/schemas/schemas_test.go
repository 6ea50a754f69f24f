package schemas_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
)

// update adds a version of each record whose schema has changed, and overwrites none.
var update = flag.Bool("update", false, "add a golden version of each record whose schema has changed")

const frame = 5 // bytes of a magic byte and a schema id, which precede the Avro body

func TestContractsKeepTheirWord(t *testing.T) {
	if *update {
		updateGolden(t)
	}
	for _, fault := range judge(schemas.Records(), mustLoad(t)) {
		t.Error(fault)
	}
}

// What was ever published decodes into today's Go type, by way of a registry that has the schema it was written with.
func TestEveryVersionIsReadAsToday(t *testing.T) {
	kept := mustLoad(t)
	client := start(t)
	ids := make(map[string][]int)
	for _, r := range schemas.Records() {
		for _, v := range kept[r.Name] {
			id, err := client.RegisterSchema(t.Context(), serde.Type(r).Subject(), sr.Schema{Schema: v.Schema}, -1, -1)
			if err != nil {
				t.Fatalf("%s: %v", r.Name, err)
			}
			ids[r.Name] = append(ids[r.Name], id)
		}
	}
	codec := open(t, client)

	for _, r := range schemas.Records() {
		versions := kept[r.Name]
		for i, v := range versions {
			value := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(ids[r.Name][i])), v.Body...)
			got, data, err := codec.Decode(t.Context(), r.Topic, value)
			if err != nil || got.Name != r.Name || reflect.TypeOf(data) != reflect.TypeOf(r.New()) {
				t.Errorf("G9: %s version %d: decoded as %s, %T, %v", r.Name, i+1, got.Name, data, err)
				continue
			}
			want, now := parse(t, v.Value), parse(t, marshal(t, data))
			newest := i == len(versions)-1
			if !newest {
				want, now = shared(want, now)
			}
			if diff := cmp.Diff(want, now); diff != "" {
				t.Errorf("G9: %s version %d:\n%s", r.Name, i+1, diff)
			}
			if again := encode(t, codec, data); newest && !bytes.Equal(v.Body, again) {
				t.Errorf("%s version %d encodes as %x, once it did as %x", r.Name, i+1, again, v.Body)
			}
		}
	}
}

func updateGolden(t *testing.T) {
	kept := mustLoad(t)
	codec := open(t, start(t))
	samples := make(map[string]event.Data)
	for _, value := range values() {
		samples[value.EventType()] = value
	}
	for _, r := range schemas.Records() {
		versions := kept[r.Name]
		if len(versions) > 0 && versions[len(versions)-1].Schema == r.Schema {
			continue
		}
		found := serde.Compare([]serde.Type{serde.Type(r)}, published(map[string][]schemas.Version{r.Name: versions}))
		if breaches := found[0].Breaches; len(breaches) > 0 {
			t.Errorf("no version of %s is added: %v", r.Name, breaches)
			continue
		}
		value := samples[r.Name]
		if value == nil {
			t.Errorf("values has none of %s", r.Name)
			continue
		}
		added := schemas.Version{Schema: r.Schema, Body: encode(t, codec, value), Value: marshal(t, value)}
		if err := add(goldenFolder, r.Simple(), len(versions)+1, added); err != nil {
			t.Error(err)
		}
	}
}

func mustLoad(t *testing.T) map[string][]schemas.Version {
	t.Helper()
	kept, err := schemas.LoadGolden(os.DirFS(goldenFolder))
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// start returns a client of an empty registry that holds schemas to FULL_TRANSITIVE.
func start(t *testing.T) *sr.Client {
	t.Helper()
	r, err := registry.Start(registry.Config{Compatible: serde.Compatible, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := serde.NewClient("http://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// open returns a Codec for all of today's records, registered after whatever the registry holds.
func open(t *testing.T, client *sr.Client) *serde.Codec {
	t.Helper()
	types := types(schemas.Records())
	if err := serde.Register(t.Context(), client, types); err != nil {
		t.Fatal(err)
	}
	codec, err := serde.New(t.Context(), client, types)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// encode returns the Avro body of data without framing.
func encode(t *testing.T, codec *serde.Codec, data event.Data) []byte {
	t.Helper()
	value, err := codec.Append(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	return value[frame:]
}

func marshal(t *testing.T, data any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// parse keeps numbers as they are written: a float would not hold every long.
func parse(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
