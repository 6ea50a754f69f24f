package check

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
)

// load returns the contract that a file holds, on the topic of all fixtures.
func load(t *testing.T, file string) serde.Type {
	t.Helper()
	schema, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ Namespace, Name string }
	if err := json.Unmarshal(schema, &record); err != nil {
		t.Fatal(err)
	}
	return serde.Type{
		Name: record.Namespace + "." + record.Name, Topic: "shop.events", Schema: string(schema),
		New: func() event.Data { return nil },
	}
}

// registries start empty registries: ours, and one that holds schemas to nothing.
var registries = map[string]func(t *testing.T) (url string){
	"ours": func(t *testing.T) string {
		r, err := registry.Start(registry.Config{Compatible: serde.Compatible, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return "http://" + r.Addr()
	},
	"another": func(t *testing.T) string {
		r := srfake.New()
		t.Cleanup(r.Close)
		return r.URL()
	},
}

// register puts a version into the registry at url.
func register(t *testing.T, url string, types ...serde.Type) {
	t.Helper()
	client, err := serde.NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types {
		if _, err := client.RegisterSchema(t.Context(), typ.Subject(), sr.Schema{Schema: typ.Schema}, -1, -1); err != nil {
			t.Fatal(err)
		}
	}
}

func golden(types ...serde.Type) map[string][]serde.Version {
	versions := make(map[string][]serde.Version)
	for _, typ := range types {
		versions[typ.Name] = append(versions[typ.Name],
			serde.Version{Number: len(versions[typ.Name]) + 1, Schema: typ.Schema})
	}
	return versions
}

func TestEachRuleIsHeldByGoldenVersionsAndByAnyRegistry(t *testing.T) {
	tests := map[string]string{
		"required-field-added.avsc": "required field added: field height is added without a default: " +
			"what was written before cannot be read",
		"field-removed.avsc": "field removed without default: field weight is removed though it has no default: " +
			"the release before cannot read what is written now",
		"type-narrowed.avsc": "type narrowed: field weight is narrowed from long to int: " +
			"what was written before cannot be read",
		"enum-symbol-removed.avsc": "enum symbol removed: field carrier: the enum shop.Carrier loses the symbol van, " +
			`which would be read as "unknown"`,
		"record-name-vanished.avsc": "record name vanished: shop.ParcelSent was published and has no schema any more: " +
			"its events are still to be read",
	}
	files, err := filepath.Glob("testdata/refused/*.avsc")
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d refused fixtures, %d messages, error %v", len(files), len(tests), err)
	}
	published := load(t, "published.avsc")
	for file, want := range tests {
		t.Run(file, func(t *testing.T) {
			today := []serde.Type{load(t, "refused/"+file)}
			refused := func(c Command, kept map[string][]serde.Version, source string) {
				t.Helper()
				var out strings.Builder
				err := c.run(t.Context(), &out, today, kept)
				if !errors.Is(err, errRefused) {
					t.Errorf("beside %s: error %v", source, err)
				}
				if line := source + " version 1: " + want + "\n"; !strings.Contains(out.String(), line) {
					t.Errorf("beside %s it says\n%s\nwithout\n%s", source, out.String(), line)
				}
			}
			refused(Command{Offline: true}, golden(published), "golden")
			for _, start := range registries {
				url := start(t)
				register(t, url, published)
				refused(Command{Registry: url}, nil, "registry")
			}
		})
	}
}

func TestWhatMayFollowIsNamedAndAllowed(t *testing.T) {
	files, err := filepath.Glob("testdata/allowed/*.avsc")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d allowed fixtures, error %v", len(files), err)
	}
	published := load(t, "published.avsc")
	for _, file := range files {
		today := load(t, strings.TrimPrefix(filepath.ToSlash(file), "testdata/"))
		for name, start := range registries {
			t.Run(filepath.Base(file)+" beside "+name, func(t *testing.T) {
				url := start(t)
				expect := func(kept map[string][]serde.Version, want string) {
					t.Helper()
					var out strings.Builder
					if err := (Command{Registry: url}).run(t.Context(), &out, []serde.Type{today}, kept); err != nil {
						t.Error(err)
					}
					if got := strings.Join(strings.Fields(out.String()), " "); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				}
				expect(nil, "new record shop.ParcelSent not in golden yet; not in registry yet")
				register(t, url, published)
				expect(golden(published), "new version shop.ParcelSent follows golden version 1; follows registry version 1")
				expect(golden(published, today), "new version shop.ParcelSent golden version 2; follows registry version 1")
				register(t, url, today)
				expect(golden(published, today), "ok shop.ParcelSent golden version 2; registry version 2")
			})
		}
	}
}

func TestTheSchemasOfThisProgramMayFollowThemselves(t *testing.T) {
	for name, start := range registries {
		url := start(t)
		for _, r := range schemas.Records() {
			for _, v := range schemas.Golden()[r.Name] {
				register(t, url, serde.Type{Name: r.Name, Topic: r.Topic, Schema: v.Schema})
			}
		}
		if err := (Command{Registry: url}).Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSONSaysTheSame(t *testing.T) {
	var out strings.Builder
	err := Command{Offline: true, JSON: true}.run(t.Context(), &out,
		[]serde.Type{load(t, "refused/type-narrowed.avsc")}, golden(load(t, "published.avsc")))
	if !errors.Is(err, errRefused) {
		t.Errorf("error %v", err)
	}
	var got struct {
		OK      bool
		Records []struct {
			Record, Verdict string
			Beside          []struct {
				Source, Verdict string
				Version, Newest int
				Refused         []struct {
					Version             int
					Rule, Field, Reason string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if got.OK || len(got.Records) != 1 || got.Records[0].Verdict != "refused" || len(got.Records[0].Beside) != 1 {
		t.Fatalf("got %+v", got)
	}
	beside := got.Records[0].Beside[0]
	if beside.Source != "golden" || beside.Newest != 1 || len(beside.Refused) != 1 || beside.Refused[0].Version != 1 ||
		beside.Refused[0].Rule != "type narrowed" || beside.Refused[0].Field != "weight" || beside.Refused[0].Reason == "" {
		t.Errorf("got %+v", beside)
	}
}

func TestARegistryThatIsAwayIsAnErrorWithItsCure(t *testing.T) {
	url := registries["another"](t)
	gone := srfake.New()
	gone.Close()
	for name, c := range map[string]Command{"gone": {Registry: gone.URL()}, "no registry": {Registry: url + "/nowhere"}} {
		err := c.Run(context.Background())
		if !errors.Is(err, serde.ErrUnavailable) || !strings.Contains(err.Error(), "--offline") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Command{Registry: gone.URL(), Offline: true}).Run(t.Context()); err != nil {
		t.Errorf("offline: %v", err)
	}
}
