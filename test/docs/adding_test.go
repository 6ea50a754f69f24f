package docs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/test/internal/git"
)

// adding is the page that builds a service.
const adding = "docs/adding-a-service.md"

// theRun is the command after which the page speaks to a running platform.
const theRun = "make run ARGS=--ephemeral\n"

// TestTheServiceThatThePageAddsWorks does what the page says on a copy of the tree: it makes and changes the files, runs
// the commands, and then starts the platform with the service in it.
func TestTheServiceThatThePageAddsWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: what is built is the same as without, and was built there")
	}
	shell(t, adding) // its blocks are of known languages
	clone := cloned(t)
	blocks := fences(read(t, adding))
	starts := slices.IndexFunc(blocks, func(f fence) bool { return strings.HasSuffix(f.text, theRun) })
	if starts < 0 {
		t.Fatalf("%s does not start the platform by %s", adding, theRun)
	}
	blocks[starts].text = strings.Replace(blocks[starts].text, theRun, "make build\n", 1)
	for _, f := range blocks[:starts+1] {
		began := time.Now()
		switch {
		case f.language == "sh":
			shownBy(t, f, runIn(t, clone, f))
		case f.language == "diff":
			change(t, clone, f)
		case f.file != "":
			write(t, clone, f)
		}
		if took := time.Since(began); took > time.Second {
			t.Logf("%s:%d took %s", adding, f.line, took.Round(100*time.Millisecond))
		}
	}
	upIn(t, clone).runBlocks(t, adding, blocks[starts+1:])
	keepsTheStyle(t, clone)
}

// cloned copies all files of the tree that are not ignored.
func cloned(t *testing.T) string {
	t.Helper()
	clone, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listed, err := git.Command(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("list the tree's files: %v", err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not yet committed so
		}
		if err != nil {
			t.Fatal(err)
		}
		save(t, filepath.Join(clone, name), data)
	}
	return clone
}

func save(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// write makes the file that a block is. One that is there already would be changed without the page's saying so.
func write(t *testing.T, clone string, f fence) {
	t.Helper()
	name := filepath.Join(clone, f.file)
	if _, err := os.Stat(name); err == nil {
		t.Fatalf("%s:%d: %s is there already", adding, f.line, f.file)
	}
	save(t, name, []byte(f.text))
}

// change applies a block of diff: hunks parted by lines of @@, whose old lines stand in the file once, one after another.
func change(t *testing.T, clone string, f fence) {
	t.Helper()
	name := filepath.Join(clone, f.file)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%s:%d: %v", adding, f.line, err)
	}
	text := string(data)
	for _, hunk := range strings.Split(f.text, "@@\n") {
		old, changed, err := sides(hunk)
		if err != nil {
			t.Fatalf("%s:%d: %v", adding, f.line, err)
		}
		if n := strings.Count(text, old); n != 1 {
			t.Fatalf("%s:%d: %s has these lines %d times:\n%s", adding, f.line, f.file, n, old)
		}
		text = strings.Replace(text, old, changed, 1)
	}
	save(t, name, []byte(text))
}

// sides of a hunk: the lines before and after the change.
func sides(hunk string) (old, changed string, err error) {
	for _, line := range strings.SplitAfter(strings.TrimSuffix(hunk, "\n"), "\n") {
		line = strings.TrimSuffix(line, "\n") + "\n"
		switch line[0] {
		case ' ':
			old, changed = old+line[1:], changed+line[1:]
		case '-':
			old += line[1:]
		case '+':
			changed += line[1:]
		default:
			return "", "", fmt.Errorf("a line of a diff begins with a space, + or -: %q", line)
		}
	}
	return old, changed, nil
}

// runIn returns what the commands of a block print. They must all succeed.
func runIn(t *testing.T, clone string, f fence) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+f.text)
	cmd.Dir, cmd.Stdout, cmd.Stderr = clone, &out, &out
	cmd.Env = environment()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s:%d: %v\n%s", adding, f.line, err, out.String())
	}
	return out.String()
}

// environment has the copy's workspace and no repository, whatever this test was run with, and paths trimmed: what was
// built in another copy need not be built again.
func environment() []string {
	return append(git.Environ(), "GOWORK=", "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
}

func shownBy(t *testing.T, f fence, said string) {
	t.Helper()
	for _, want := range f.expected {
		if !strings.Contains(said, want) {
			t.Errorf("%s:%d: the output lacks %s:\n%s", adding, f.line, want, said)
		}
	}
}

// keepsTheStyle looks at the new service as the formatter and the linters do, these if they are built.
func keepsTheStyle(t *testing.T, clone string) {
	t.Helper()
	service := filepath.Join(clone, "services", "loyalty")
	if out, err := exec.Command("gofmt", "-l", service).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v\n%s", err, out)
	}
	linter, err := filepath.Abs(filepath.Join(root, "bin", "golangci-lint"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(linter); err != nil {
		t.Logf("SKIPPED, THE LINTERS DID NOT SEE THE SERVICE: %v; `make lint` builds them", err)
		return
	}
	config := filepath.Join(clone, ".golangci.yml")
	cmd := exec.Command(linter, "run", "--allow-parallel-runners", "--config", config, "./...")
	cmd.Dir, cmd.Env = service, environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("golangci-lint: %v\n%s", err, out)
	}
}
