// Package check is `quadrille check`: may the schemas of this program follow everything that was ever published? It is
// asked before a deployment; `quadrille apply` registers afterwards.
package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

// errRefused is the command's error when a record is refused.
var errRefused = errors.New("the contracts break a rule")

// Command is `quadrille check`.
type Command struct {
	Registry string `help:"Schema registry." env:"QUADRILLE_REGISTRY_URL" default:"http://127.0.0.1:8091"`
	Offline  bool   `help:"Leave the registry out: compare with the golden versions alone."`
	JSON     bool   `help:"Print the result as JSON."`
}

// Help is shown by `quadrille check --help`.
func (Command) Help() string {
	return `Compares each event's schema with every golden version of it, which the program carries, and with every
version that the registry has. A line a record says ok, new version (apply will register it), new record, or refused
and why. It changes nothing, and fails if a record is refused.

Examples:

  quadrille check
  quadrille check --registry http://registry.example.com:8081
  quadrille check --offline --json`
}

// Run compares the schemas of this program.
func (c Command) Run(ctx context.Context) error {
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	golden := make(map[string][]serde.Version)
	for name, versions := range schemas.Golden() {
		for i, v := range versions {
			golden[name] = append(golden[name], serde.Version{Number: i + 1, Schema: v.Schema})
		}
	}
	return c.run(ctx, os.Stdout, types, golden)
}

func (c Command) run(ctx context.Context, out io.Writer, types []serde.Type, golden map[string][]serde.Version) error {
	sources := []source{{"golden", golden}}
	if !c.Offline {
		registered, err := c.registered(ctx, types)
		if err != nil {
			return err
		}
		sources = append(sources, source{"registry", registered})
	}
	results := compare(types, sources)
	refused := 0
	for _, r := range results {
		if r.Verdict == serde.Refused {
			refused++
		}
	}
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err := encoder.Encode(struct {
			OK      bool     `json:"ok"`
			Records []result `json:"records"`
		}{refused == 0, results})
		if err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	} else {
		for _, r := range results {
			fmt.Fprintln(out, r)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%w: %d of %d records refused", errRefused, refused, len(results))
	}
	return nil
}

func (c Command) registered(ctx context.Context, types []serde.Type) (map[string][]serde.Version, error) {
	registry, err := serde.NewClient(c.Registry)
	if err != nil {
		return nil, err
	}
	registered, err := serde.Registered(ctx, registry, types)
	if err != nil {
		return nil, fmt.Errorf("%w; start the registry, name another with --registry, or leave it out with --offline",
			err)
	}
	return registered, nil
}
