//go:build compose

package compose

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/test/compose/standin"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

const (
	// pullWithin bounds the pull of one image.
	pullWithin = 5 * time.Minute
	// reachWithin bounds the first, of the smallest image, which tells whether any can be pulled.
	reachWithin = 30 * time.Second
	smallest    = "gcr.io/distroless/static-debian12:nonroot"
)

// prepare sees that every image of others is there: pulled, or else a stand-in, and says which it is.
func (s *stack) prepare(t *testing.T) {
	wanted := []string{smallest, "golang:1.26"}
	for _, name := range strings.Fields(s.must(t, "--profile", watching, "config", "--images")) {
		if !strings.HasPrefix(name, "quadrille/") && !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	pulls := true
	maker := standin.Maker{
		Docker:    s.engine.Docker,
		Store:     parts.Store{Dir: filepath.Join(root, "bin", "parts"), Progress: t.Output()},
		Collector: filepath.Join(root, "bin", "collector"),
	}
	for i, name := range wanted {
		mark, err := s.engine.Output(t.Context(), "image", "inspect", "--format",
			`{{index .Config.Labels "`+standin.Label+`"}}`, name)
		switch {
		case err == nil && (mark == "" || mark == standin.Version(name)):
			t.Logf("%s: there already%s", name, map[bool]string{true: ", A STAND-IN"}[mark != ""])
			continue
		case pulls:
			within := pullWithin
			if i == 0 {
				within = reachWithin
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			err := s.engine.Docker(ctx, nil, "pull", "--quiet", name)
			cancel()
			if err == nil {
				t.Log(name + ": pulled")
				continue
			}
			if !s.engine.Own { // whose images others use: a stand-in would pass for the real one there
				t.Fatalf("the engine cannot pull %s, and is not the test's own to put a stand-in on: %v", name, err)
			}
			pulls = false
			t.Logf("images cannot be pulled here (%v): STAND-INS ARE MADE, under the same names, from package registries",
				err)
		}
		if !standin.Knows(name) {
			t.Logf("%s: THERE IS NO STAND-IN FOR IT, what is made of it is NOT STARTED", name)
			s.without = append(s.without, name)
			continue
		}
		began := time.Now()
		if err := maker.Make(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: A STAND-IN, made in %s", name, time.Since(began).Round(time.Second))
	}
}
