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
	parcelSent = `{"type":"record","name":"ParcelSent","namespace":"shop","fields":[{"name":"id","type":"string"},
		{"name":"by","type":{"type":"enum","name":"Carrier","symbols":["unknown","bike","van"],"default":"unknown"}}]}`
	note = `,{"name":"note","type":["null","string"],"default":null}]}`
)

func TestJudgeFindsEveryBreach(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(parcelSent, old) {
			t.Fatalf("nothing to change: %s", old)
		}
		return strings.Replace(parcelSent, old, new, 1)
	}
	added := strings.TrimSuffix(parcelSent, "]}") + note
	tests := map[string]struct {
		today    string
		versions []string
		want     string // empty if there is nothing to find
	}{
		"as published":              {parcelSent, []string{parcelSent}, ""},
		"a second version":          {added, []string{parcelSent, added}, ""},
		"never published":           {parcelSent, nil, "add a version (-update)"},
		"changed without a version": {added, []string{parcelSent}, "add a version (-update)"},
		"back to an older version":  {parcelSent, []string{parcelSent, added}, "add a version (-update)"},
		"a type changed": {change(`"string"`, `"long"`),
			[]string{parcelSent, change(`"string"`, `"long"`)}, "version 1: incompatible schema: type changed: field id"},
		"fit for the newest version only": {strings.TrimSuffix(parcelSent, "]}") + strings.ReplaceAll(note, "string", "long"),
			[]string{added, parcelSent, strings.TrimSuffix(parcelSent, "]}") + strings.ReplaceAll(note, "string", "long")},
			"beside its version 1: incompatible schema: type changed"},
		"a field without a default": {change(`"fields":[`, `"fields":[{"name":"kg","type":"long"},`),
			[]string{parcelSent, change(`"fields":[`, `"fields":[{"name":"kg","type":"long"},`)}, "kg"},
		"a symbol removed": {change(`,"van"`, ``), []string{parcelSent, change(`,"van"`, ``)}, "loses the symbol van"},
		"renamed within":   {change(`"shop"`, `"mall"`), []string{parcelSent, change(`"shop"`, `"mall"`)}, "shop.ParcelSent"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kept := make(map[string][]schemas.Version)
			for _, schema := range test.versions {
				kept["shop.ParcelSent"] = append(kept["shop.ParcelSent"], schemas.Version{Schema: schema})
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
	faults := judge(nil, map[string][]schemas.Version{"shop.ParcelSent": {{Schema: parcelSent}}})
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "ParcelSent was published and has no schema any more") {
		t.Errorf("found %v", faults)
	}
}

func TestAddedVersionsAreLoadedInOrderAndNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	want := make([]schemas.Version, 11) // the tenth comes before the second in a folder's listing
	for i := range want {
		want[i] = schemas.Version{Schema: parcelSent + strings.Repeat(" ", i), Body: []byte{byte(i)}, Value: []byte("{}")}
		if err := add(dir, "ParcelSent", i+1, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(dir, "ParcelSent", 2, schemas.Version{Schema: "other"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("version 2 was added twice: %v", err)
	}
	kept, err := schemas.LoadGolden(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]schemas.Version{"shop.ParcelSent": want}, kept); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefusesAFolderWithGaps(t *testing.T) {
	for _, lost := range [][]string{{"v1.bin"}, {"v1.avsc", "v1.bin", "v1.json"}, {"v2.json"}} {
		t.Run("without "+strings.Join(lost, " "), func(t *testing.T) {
			dir := t.TempDir()
			for number := range 2 {
				if err := add(dir, "ParcelSent", number+1, schemas.Version{Schema: parcelSent}); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range lost {
				if err := os.Remove(dir + "/ParcelSent/" + name); err != nil {
					t.Fatal(err)
				}
			}
			if kept, err := schemas.LoadGolden(os.DirFS(dir)); err == nil {
				t.Errorf("loaded %v", slices.Collect(maps.Keys(kept)))
			}
		})
	}
}
