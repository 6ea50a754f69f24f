package httpapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// FuzzDecode holds whatever is accepted against encoding/json, which is laxer: it must agree on the value, and the
// value must be free of what is promised to be refused.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		goodOrder, `{"lines":[{"sku":"\u0000"}]}`, `{"a":1,"a":2}`, `{"LINES":[]}`, `{"lines":[{"quantity":1.0}]}`,
		`[[[`,
		"{\"customer_id\":\"\xff\"}", `{"customer_id":"\ud800"}`,
		`{"price":{"amount":9223372036854775807}}`, `null`, `1e999`, ``,
		`{"lines":null}`, `{"due":"2026-01-02T03:04:05Z"} x`, strings.Repeat(`{"a":`, 40), `{"customer_id":"\\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var loose any
		looseErr := httpapi.Decode(data, &loose)
		var got placeBody
		if err := httpapi.Decode(data, &got); err != nil {
			return
		}
		if looseErr != nil {
			t.Fatalf("%q decodes into a struct but not into any: %v", data, looseErr)
		}
		var want placeBody
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&want); err != nil {
			t.Fatalf("%q is accepted, encoding/json says %v", data, err)
		}
		if diff := cmp.Diff(flat(t, want), flat(t, got)); diff != "" {
			t.Fatalf("%q: (-encoding/json +ours)\n%s", data, diff)
		}
		for _, s := range []string{got.CustomerID, string(got.Email), got.Kind} {
			if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Fatalf("%q: accepted %q", data, s)
			}
		}
	})
}

// flat compares by meaning: a list that is null and an empty one are the same here, and so are times.
func flat(t *testing.T, v placeBody) string {
	t.Helper()
	if v.Lines == nil {
		v.Lines = []line{}
	}
	v.Due = v.Due.UTC()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDigestIsOfTheMeaning(t *testing.T) {
	digest := func(text string) [32]byte {
		t.Helper()
		var body placeBody
		if err := httpapi.Decode([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		sum, err := httpapi.Digest(body)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	reordered := ` {"lines":[{"quantity":2,"sku":"t\u0065a"}],"email":"ada@example.com","customer_id":"c1"} `
	if digest(goodOrder) != digest(reordered) {
		t.Error("the same order written differently has another digest")
	}
	if digest(goodOrder) == digest(strings.Replace(goodOrder, ":2", ":3", 1)) {
		t.Error("another quantity has the same digest")
	}
}
