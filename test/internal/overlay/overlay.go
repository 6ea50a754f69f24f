// Package overlay applies a patch beside the tree, not to it, for `go build -overlay`: only the packages that the patch
// changes, and those that import them, are built anew.
package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/quadrille-platform/quadrille/test/internal/git"
)

// ErrPatch says that a patch does not fit the tree.
var ErrPatch = errors.New("the patch does not apply")

// Overlay is a patch that was applied.
type Overlay struct {
	// Path is the file for -overlay.
	Path string
	// Files are those of the tree that are replaced, relative to its root.
	Files []string
}

// Apply copies the files that a patch names from the tree at root into folder, an empty one of its own, and applies it
// there. Args are further ones of `git apply`. What stands in the patch before its first file is passed over.
func Apply(root, patch, folder string, args ...string) (Overlay, error) {
	text, err := os.ReadFile(patch)
	if err != nil {
		return Overlay{}, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return Overlay{}, err
	}
	if patch, err = filepath.Abs(patch); err != nil {
		return Overlay{}, err
	}
	o := Overlay{Path: filepath.Join(folder, "overlay.json")}
	replace := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		from, to := filepath.Join(root, m[1]), filepath.Join(folder, m[1])
		data, err := os.ReadFile(from)
		if err != nil {
			return Overlay{}, fmt.Errorf("%w: %w", ErrPatch, err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o600)); err != nil {
			return Overlay{}, err
		}
		replace[from] = to
		o.Files = append(o.Files, m[1])
	}
	if len(o.Files) == 0 {
		return Overlay{}, fmt.Errorf("%w: it names no file", ErrPatch)
	}
	cmd := git.Command(folder, append(append([]string{"apply"}, args...), patch)...)
	// Even if the folder lies within a repository, it is none of it.
	cmd.Env = append(cmd.Env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(folder))
	if out, err := cmd.CombinedOutput(); err != nil {
		return Overlay{}, fmt.Errorf("%w: %w\n%s", ErrPatch, err, out)
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return Overlay{}, err
	}
	return o, os.WriteFile(o.Path, list, 0o600)
}
