package serde_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// Who may register a schema chooses the text that our decoder is built from. Whatever it is, its events are refused,
// and the registry is not asked again for each of them.
func TestASchemaThatCannotBeTrustedIsRefusedOnceAndForAll(t *testing.T) {
	twice := `"long"`
	for i := range 25 {
		again := `"long"`
		if i > 0 {
			again = fmt.Sprintf(`"L%d"`, i-1)
		}
		twice = fmt.Sprintf(`{"type":"record","name":"L%d","fields":[{"name":"a","type":%s},{"name":"b","type":%s}]}`,
			i, twice, again)
	}
	deep := strings.Repeat(`{"type":"array","items":`, 40) + `"int"` + strings.Repeat(`}`, 40)
	with := func(field string) string {
		return strings.Replace(purchaseSchema, `"fields":[`, `"fields":[`+field+`,`, 1)
	}
	tests := map[string]string{
		"cut off":                        purchaseSchema[:100],
		"no record":                      `["null","string"]`,
		"a type that is not there":       with(`{"name":"x","type":"Elsewhere"}`),
		"recursive":                      with(`{"name":"x","type":{"type":"array","items":"Purchase"}}`),
		"nested too deep":                with(`{"name":"x","type":` + deep + `}`),
		"types that use each other":      with(`{"name":"x","type":` + twice + `}`),
		"longer than 128 KiB":            with(`{"name":"x","type":"int","doc":"` + strings.Repeat("a", 128<<10) + `"}`),
		"nothing that we can read as it": strings.Replace(purchaseSchema, `"long"`, `"string"`, 1),
	}
	for name, schema := range tests {
		t.Run(name, func(t *testing.T) {
			registry, client := start(t)
			codec := open(t, client, purchaseType)
			text, err := json.Marshal(map[string]string{"schema": schema})
			if err != nil {
				t.Fatal(err)
			}
			var asked atomic.Int32
			registry.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				asked.Add(1)
				return answer(http.StatusOK, string(text))(w, r)
			})
			hung := time.AfterFunc(10*time.Second, func() { panic("hangs") })
			defer hung.Stop()
			for range 3 {
				_, data, err := codec.Decode(t.Context(), topic, framed(66, 2, 2, 2))
				if !errors.Is(err, serde.ErrMalformed) || !strings.Contains(err.Error(), "schema 66") || data != nil {
					t.Errorf("decoded as %v, %v", data, err)
				}
			}
			if asked.Load() != 1 {
				t.Errorf("the registry was asked %d times", asked.Load())
			}
		})
	}
}

func TestDecodeSaysThatTheRegistryIsAway(t *testing.T) {
	registry, client := start(t)
	codec := open(t, client, purchaseType)
	value := encodeElsewhere(t, registry, codec)
	registry.Close()
	if _, _, err := codec.Decode(t.Context(), topic, value); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestTimesComeBackInUTC(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("elsewhere", 3*60*60)
	t.Cleanup(func() { time.Local = local })
	_, client := start(t)
	codec := open(t, client, purchaseType)
	sent := sample()
	sent.At = sent.At.Local()
	_, data, err := codec.Decode(t.Context(), topic, encode(t, codec, sent))
	if err != nil {
		t.Fatal(err)
	}
	if got := data.(*purchase).At; got.Location() != time.UTC || !got.Equal(sent.At) {
		t.Errorf("got %v of %v", got, sent.At)
	}
}

// An address may hold a password: the registry gets it, and no error shows it.
func TestThePasswordOfTheRegistryIsNotTold(t *testing.T) {
	const password = "p@ss$1"
	registry := srfake.New()
	t.Cleanup(registry.Close)
	var user, told string
	registry.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		user, told, _ = r.BasicAuth()
		return false
	})
	address, err := url.Parse(registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("order", password)
	client, err := serde.NewClient(address.String())
	if err != nil {
		t.Fatal(err)
	}
	open(t, client, purchaseType)
	if user != "order" || told != password {
		t.Errorf("the registry was told %q and %q", user, told)
	}
	registry.Close()
	_, err = serde.New(t.Context(), client, []serde.Type{purchaseType})
	if err == nil || strings.Contains(err.Error(), "ss$1") || strings.Contains(err.Error(), "order:") {
		t.Errorf("got %v", err)
	}
}
