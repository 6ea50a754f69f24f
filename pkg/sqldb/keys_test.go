package sqldb_test

import (
	"slices"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

func TestKeysAreSortedAndEachOnce(t *testing.T) {
	got := sqldb.Keys([]string{"b", "a", "b", "c", "a"}, func(id string) string { return id })
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := sqldb.Keys(nil, func(id string) string { return id }); len(got) != 0 {
		t.Errorf("keys of nothing: %q", got)
	}
}
