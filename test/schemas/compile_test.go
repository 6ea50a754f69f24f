package schemas_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/schemas"
)

const root = "../.."

// build builds a package of the tree as if some of its files held something else, and returns what the compiler says.
func build(t *testing.T, pkg string, files map[string]string) (said string, err error) {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	replace := make(map[string]string)
	for name, text := range files {
		file := filepath.Join(folder, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(top, name)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", list, pkg)
	cmd.Dir = top
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAnEventWithoutASchemaDoesNotCompile(t *testing.T) {
	const (
		pkg    = "./services/order/internal/kafka"
		header = `package kafka

import (
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
)

type orderShipped struct{ OrderID string }

`
	)
	tests := map[string]struct{ line, want string }{
		"of an event": {
			`var _, _ = event.Event{Data: &orderShipped{}}, schemas.Records`, "missing method EventType",
		},
		"of what order publishes": {
			`var _ schemas.OrderEvent = event.Data(nil).(*orderShipped)`, "missing method EventType",
		},
		"even if it says that it has one": {
			`func (*orderShipped) EventType() string { return "quadrille.order.OrderShipped" }

var _, _ = schemas.OrderEvent(&orderShipped{}), event.Event{}`, "missing method orderEvent",
		},
		"nor does another owner's": {
			`var _, _ = schemas.OrderEvent(&schemas.StockReserved{}), event.Event{}`, "missing method orderEvent",
		},
		"nor a value in the place of its pointer": {
			`var _ = event.Event{Data: schemas.OrderPlaced{}}`, "pointer receiver",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			said, err := build(t, pkg, map[string]string{"services/order/internal/kafka/shipped.go": header + test.line + "\n"})
			if err == nil || !strings.Contains(said, test.want) {
				t.Errorf("error %v, the compiler says\n%s", err, said)
			}
		})
	}
	good := `var _, _ = schemas.OrderEvent(&schemas.OrderPlaced{}), event.Event{Data: &schemas.OrderPlaced{}}`
	if said, err := build(t, pkg, map[string]string{"services/order/internal/kafka/shipped.go": header + good + "\n"}); err != nil {
		t.Errorf("what has a schema does not compile either: %v\n%s", err, said)
	}
}

// TestEveryPublisherIsHeldToItsOwnEvents takes the seal off an owner's events: if its publisher still compiles, it does
// not say that it publishes nothing else.
func TestEveryPublisherIsHeldToItsOwnEvents(t *testing.T) {
	const generated = "schemas/events_gen.go"
	source, err := os.ReadFile(filepath.Join(root, generated))
	if err != nil {
		t.Fatal(err)
	}
	owners := make(map[string]bool)
	for _, r := range schemas.Records() {
		owners[r.Owner] = true
	}
	for owner := range owners {
		t.Run(owner, func(t *testing.T) {
			seal := regexp.MustCompile(`(?m)^func \(\*\w+\) ` + owner + `Event\(\) \{\}$`)
			if !seal.Match(source) {
				t.Fatalf("no event is sealed as one of %s", owner)
			}
			said, err := build(t, "./services/"+owner+"/internal/kafka",
				map[string]string{generated: seal.ReplaceAllString(string(source), "")})
			if err == nil || !strings.Contains(said, "missing method "+owner+"Event") {
				t.Errorf("error %v, the compiler says\n%s", err, said)
			}
		})
	}
}
