// Package upgrade runs the release before beside today's: old and new replicas of every service on the same databases,
// the same broker and the same registry.
package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/quadrille-platform/quadrille/test/internal/git"
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
	overlay, err := patched(filepath.Join(folder, "tree"))
	if err != nil {
		return "", "", err
	}
	if err := compile("-o", today); err != nil {
		return "", "", fmt.Errorf("build today's release: %w", err)
	}
	if err := compile("-overlay", overlay, "-o", before); err != nil {
		return "", "", fmt.Errorf("build the release before: %w: %w", errPatch, err)
	}
	return before, today, nil
}

func compile(flags ...string) error {
	args := append([]string{"build"}, flags...)
	cmd := exec.Command("go", append(args, "github.com/quadrille-platform/quadrille/cmd/quadrille")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// patched copies the files that the patch names into folder, applies it there, and returns the file that makes `go
// build` read them in the place of the tree's.
func patched(folder string) (overlay string, err error) {
	text, err := os.ReadFile(patch)
	if err != nil {
		return "", err
	}
	top, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		from, to := filepath.Join(top, m[1]), filepath.Join(folder, m[1])
		data, err := os.ReadFile(from)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errPatch, err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o600)); err != nil {
			return "", err
		}
		replace[from] = to
	}
	file, err := filepath.Abs(patch)
	if err != nil {
		return "", err
	}
	cmd := git.Command(folder, "apply", "--unidiff-zero", file)
	// Even if the temporary folder lies within a repository, it is none of it.
	cmd.Env = append(cmd.Env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(folder))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %w\n%s", errPatch, err, out)
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
