package schemas_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shared returns two JSON values without the members of objects that only one of them has. Between an older version of
// an event and today's these are the fields that were added since, or removed, each of which has a default.
func shared(a, b any) (any, any) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			left, right := make(map[string]any), make(map[string]any)
			for name := range x {
				if _, ok := y[name]; ok {
					left[name], right[name] = shared(x[name], y[name])
				}
			}
			return left, right
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			left, right := make([]any, len(x)), make([]any, len(y))
			for i := range x {
				left[i], right[i] = shared(x[i], y[i])
			}
			return left, right
		}
	}
	return a, b
}

func TestSharedLeavesOutOnlyWhatOneSideHas(t *testing.T) {
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"a field was added", `{"id":1}`, `{"id":1,"note":"n"}`, true},
		{"a field was removed", `{"id":1,"note":"n"}`, `{"id":1}`, true},
		{"a field was added to the items", `{"l":[{"a":1}]}`, `{"l":[{"a":1,"b":2}]}`, true},
		{"a value changed", `{"id":1}`, `{"id":2}`, false},
		{"a value became null", `{"id":1}`, `{"id":null}`, false},
		{"a value of the items changed", `{"l":[{"a":1}]}`, `{"l":[{"a":2}]}`, false},
		{"an item was lost", `{"l":[{"a":1},{"a":2}]}`, `{"l":[{"a":1}]}`, false},
		{"a list became an object", `{"l":[]}`, `{"l":{}}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := shared(parse(t, []byte(test.a)), parse(t, []byte(test.b)))
			if diff := cmp.Diff(a, b); (diff == "") != test.same {
				t.Errorf("got %s and %s", text(t, a), text(t, b))
			}
		})
	}
}

func text(t *testing.T, value any) []byte {
	t.Helper()
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
