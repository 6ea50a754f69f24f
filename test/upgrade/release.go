// Package upgrade runs the release before beside today's: old and new replicas of every service on the same databases,
// the same broker and the same registry.
package upgrade

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/test/internal/binary"
	"github.com/quadrille-platform/quadrille/test/internal/overlay"
)

// root of the tree.
const root = "../.."

// patch makes of today's tree the release before OrderPlaced got its sales_channel: its second version. It takes the
// field out of the schema and out of the order service, and lowers the number of the service's Fold. The generated Go
// type may keep it: what the schema lacks is neither written nor read. To make it anew, do that in a copy of the files
// that it names and compare, with `git diff --no-index -U0`: without context it outlives changes of the lines around.
const patch = "testdata/before-sales-channel.patch"

var errPatch = errors.New("testdata/before-sales-channel.patch does not fit the tree any more; " +
	"test/upgrade/release.go says how to make it anew")

// build builds the program of today's tree, and that of the release before.
func build(folder string) (before, today string, err error) {
	before, today = filepath.Join(folder, "before"), filepath.Join(folder, "today")
	replaced, err := patched(filepath.Join(folder, "tree"))
	if err != nil {
		return "", "", err
	}
	if err := binary.Build(today, binary.Quadrille); err != nil {
		return "", "", fmt.Errorf("build today's release: %w", err)
	}
	if err := binary.Build(before, binary.Quadrille, "-overlay", replaced); err != nil {
		return "", "", fmt.Errorf("build the release before: %w: %w", errPatch, err)
	}
	return before, today, nil
}

// patched applies the patch in folder, and returns the file that makes `go build` read what it has made.
func patched(folder string) (file string, err error) {
	o, err := overlay.Apply(root, patch, folder, "--unidiff-zero")
	if err != nil {
		return "", fmt.Errorf("%w: %w", errPatch, err)
	}
	return o.Path, nil
}
