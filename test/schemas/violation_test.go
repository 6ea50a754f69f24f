package schemas_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/schemas"
)

const (
	published = `{"type":"record","name":"ParcelSent","namespace":"shop","fields":[{"name":"id","type":"string"},
		{"name":"by","type":{"type":"enum","name":"Carrier","symbols":["unknown","bike","van"],"default":"unknown"}}]}`
	note = `,{"name":"note","type":["null","string"],"default":null}]}`
)

func TestJudgeFindsEveryBreach(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(published, old) {
			t.Fatalf("nothing to change: %s", old)
		}
		return strings.Replace(published, old, new, 1)
	}
	added := strings.TrimSuffix(published, "]}") + note
	tests := map[string]struct {
		today    string
		versions []string
		want     string // empty if there is nothing to find
	}{
		"as published":              {published, []string{published}, ""},
		"a second version":          {added, []string{published, added}, ""},
		"never published":           {published, nil, "add a version (-update)"},
		"changed without a version": {added, []string{published}, "add a version (-update)"},
		"back to an older version":  {published, []string{published, added}, "add a version (-update)"},
		"a type changed": {change(`"string"`, `"long"`),
			[]string{published, change(`"string"`, `"long"`)}, "version 1: the later cannot read the earlier"},
		"fit for the newest version only": {strings.TrimSuffix(published, "]}") + strings.ReplaceAll(note, "string", "long"),
			[]string{added, published, strings.TrimSuffix(published, "]}") + strings.ReplaceAll(note, "string", "long")},
			"cannot stand beside its version 1"},
		"a field without a default": {change(`"fields":[`, `"fields":[{"name":"kg","type":"long"},`),
			[]string{published, change(`"fields":[`, `"fields":[{"name":"kg","type":"long"},`)}, "kg"},
		"a symbol removed": {change(`,"van"`, ``), []string{published, change(`,"van"`, ``)}, "loses the symbol van"},
		"renamed within":   {change(`"shop"`, `"mall"`), []string{published, change(`"shop"`, `"mall"`)}, "shop.ParcelSent"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kept := make(map[string][]version)
			for _, schema := range test.versions {
				kept["ParcelSent"] = append(kept["ParcelSent"], version{schema: schema})
			}
			faults := judge([]schemas.Record{{Name: "shop.ParcelSent", Schema: test.today}}, kept)
			if test.want == "" && len(faults) > 0 {
				t.Errorf("found %v", faults)
			}
			if err := errors.Join(faults...); test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("found %v, want %q", err, test.want)
			}
		})
	}
}

func TestJudgeMissesARecordThatVanished(t *testing.T) {
	faults := judge(nil, map[string][]version{"ParcelSent": {{schema: published}}})
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "ParcelSent was published once") {
		t.Errorf("found %v", faults)
	}
}

func TestAddedVersionsAreLoadedInOrderAndNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	want := make([]version, 11) // the tenth comes before the second in a folder's listing
	for i := range want {
		want[i] = version{strings.Repeat("s", i), []byte{byte(i)}, []byte("{}")}
		if err := add(dir, "ParcelSent", i+1, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(dir, "ParcelSent", 2, version{schema: "other"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("version 2 was added twice: %v", err)
	}
	kept, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]version{"ParcelSent": want}, kept, cmp.AllowUnexported(version{})); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefusesAFolderWithGaps(t *testing.T) {
	for _, lost := range [][]string{{"v1.bin"}, {"v1.avsc", "v1.bin", "v1.json"}, {"v2.json"}} {
		t.Run("without "+strings.Join(lost, " "), func(t *testing.T) {
			dir := t.TempDir()
			for number := range 2 {
				if err := add(dir, "ParcelSent", number+1, version{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range lost {
				if err := os.Remove(dir + "/ParcelSent/" + name); err != nil {
					t.Fatal(err)
				}
			}
			if kept, err := load(dir); err == nil {
				t.Errorf("loaded %v", slices.Collect(maps.Keys(kept)))
			}
		})
	}
}
