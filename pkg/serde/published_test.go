package serde_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

const (
	idField   = `{"name":"id","type":"string"}`
	noteField = `,{"name":"note","type":["null","string"],"default":null}`
	kgField   = `,{"name":"kg","type":"long"}`
)

func versions(schemas ...string) map[string][]serde.Version {
	published := make(map[string][]serde.Version)
	for i, schema := range schemas {
		published["shop.Purchase"] = append(published["shop.Purchase"], serde.Version{Number: i + 1, Schema: schema})
	}
	return published
}

func TestCompareJudgesARecordByAllItsVersions(t *testing.T) {
	first, second := shopRecord(idField), shopRecord(idField+noteField)
	tests := map[string]struct {
		today     string
		published map[string][]serde.Version
		want      serde.Finding
		breached  []int
	}{
		"the newest": {second, versions(first, second), serde.Finding{Verdict: serde.Published, Version: 2, Newest: 2}, nil},
		"an older one": {first, versions(first, second),
			serde.Finding{Verdict: serde.Published, Version: 1, Newest: 2}, nil},
		"one that may follow": {second, versions(first), serde.Finding{Verdict: serde.NewVersion, Newest: 1}, nil},
		"the first of all":    {first, nil, serde.Finding{Verdict: serde.NewRecord}, nil},
		"fit for the newest only": {shopRecord(idField + strings.ReplaceAll(noteField, "string", "long")),
			versions(second, first), serde.Finding{Verdict: serde.Refused, Newest: 2}, []int{1}},
		"fit for none": {shopRecord(idField + kgField), versions(first, second),
			serde.Finding{Verdict: serde.Refused, Newest: 2}, []int{1, 2}},
		"published beside another that it cannot follow": {shopRecord(idField + kgField),
			versions(first, shopRecord(idField+kgField)), serde.Finding{Verdict: serde.Refused, Version: 2, Newest: 2}, []int{1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			findings := serde.Compare([]serde.Type{{Name: "shop.Purchase", Schema: test.today}}, test.published)
			if len(findings) != 1 {
				t.Fatalf("found %v", findings)
			}
			got := findings[0]
			var breached []int
			for n := range 3 {
				if got.Breaches[n] != nil {
					breached = append(breached, n)
				}
			}
			if diff := cmp.Diff(test.breached, breached); diff != "" {
				t.Errorf("refused beside versions (-want +got):\n%s", diff)
			}
			got.Breaches, test.want.Record = nil, "shop.Purchase"
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareMissesARecordThatVanished(t *testing.T) {
	types := []serde.Type{{Name: "shop.Sale", Schema: strings.Replace(shopRecord(idField), "Purchase", "Sale", 1)}}
	findings := serde.Compare(types, versions(shopRecord(idField)))
	if len(findings) != 2 || findings[0].Record != "shop.Purchase" || findings[0].Verdict != serde.Refused ||
		findings[0].Breaches[1].Rule != serde.NameVanished || findings[1].Verdict != serde.NewRecord {
		t.Errorf("found %+v", findings)
	}
}

// What others keep in the same registry is none of our business, and what it tells of a schema may have another form
// than what was registered.
func TestRegisteredTellsTheVersionsOfOurTopics(t *testing.T) {
	registry, client := start(t)
	first := `{"type":"record","name":"Purchase","namespace":"shop","fields":[{"name":"id","type":"string"}]}`
	others := map[string]string{
		purchaseType.Subject():    first,
		"shop.events-shop.Gone":   strings.Replace(first, "Purchase", "Gone", 1),
		"other.events-shop.Alien": strings.Replace(first, "Purchase", "Alien", 1),
	}
	for subject, schema := range others {
		if _, err := client.RegisterSchema(t.Context(), subject, sr.Schema{Schema: schema}, -1, -1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.RegisterSchema(t.Context(), purchaseType.Subject(), sr.Schema{Schema: purchaseSchema}, -1, -1); err != nil {
		t.Fatal(err)
	}
	rewritten := terse(t, registry.URL())

	for name, client := range map[string]*sr.Client{"a registry": client, "one with forms of its own": rewritten} {
		got, err := serde.Registered(t.Context(), client, []serde.Type{purchaseType})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]serde.Version{
			"shop.Purchase": {{Number: 1, Schema: first}, {Number: 2, Schema: purchaseSchema}},
			"shop.Gone":     {{Number: 1, Schema: others["shop.events-shop.Gone"]}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// terse is a client of the registry at address by way of one that tells schemas without insignificant space.
func terse(t *testing.T, address string) *sr.Client {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		var object map[string]any
		body, err := io.ReadAll(r.Body)
		if err == nil && json.Unmarshal(body, &object) == nil && object["schema"] != nil {
			object["schema"] = strings.Join(strings.Fields(object["schema"].(string)), "")
			body, err = json.Marshal(object)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	client, err := serde.NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRegisteredSaysThatTheRegistryIsAway(t *testing.T) {
	registry, client := start(t)
	registry.Close()
	if _, err := serde.Registered(t.Context(), client, nil); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
