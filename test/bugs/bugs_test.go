package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/test/internal/overlay"
)

const root = "../.."

// TestEveryBugFitsTheTree is the part of `make bugs` that takes no time: whether each is still caught only that tells.
func TestEveryBugFitsTheTree(t *testing.T) {
	bugs, err := readAll(".")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			if _, err := overlay.Apply(root, b.file, filepath.Join(folder, b.name)); err != nil {
				t.Errorf("%v: %v", errPatch, err)
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(b.run, "^"), "$")
			if !declares(t, filepath.Join(root, b.pkg), name) {
				t.Errorf("%s has no test %s", b.pkg, name)
			}
		})
	}
}

// declares reports whether a test stands in one of the files of a folder.
func declares(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test) + `\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if pattern.Match(text) {
			return true
		}
	}
	return false
}

func TestAHeadIsComplete(t *testing.T) {
	const whole = "Breaks: G2\nMistake: It is said\n  in two lines.\nPackage: p\nRun: ^TestSum$\nSays: G2: the sum\n\n--- a/p\n"
	for name, tc := range map[string]struct {
		head, want string
	}{
		"whole":             {whole, ""},
		"no guarantee":      {strings.Replace(whole, "G2\n", "G12\n", 1), "no guarantee"},
		"another guarantee": {strings.Replace(whole, "Says: G2", "Says: G3", 1), "does not begin with"},
		"no test":           {strings.Replace(whole, "Run: ^TestSum$\n", "", 1), "needs"},
		"no head":           {"--- a/p\n+++ b/p\n", "its head"},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, t.TempDir(), "bug.patch", tc.head)
			b, err := read(file)
			if tc.want == "" {
				if err != nil || b.name != "bug" || b.mistake != "It is said in two lines." {
					t.Errorf("%+v, %v", b, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func write(t *testing.T, folder, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
