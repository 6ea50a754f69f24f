package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/git"
)

// free names that no copy has, for what holds the name of this one is refused.
const (
	freeModule = "zz.zz/zz/Zz_z"
	freeName   = "zz9zz"
)

func TestArgumentsAreChecked(t *testing.T) {
	for name, ok := range map[string]bool{
		freeName: true, "zz": true, strings.Repeat("z", 30): true, "": false, "x": false, "my-shop": false, "my_shop": false, "Shop": false, "2go": false,
		"func": false, "quadrille2": false, "läden": false, strings.Repeat("z", 31): false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("NAME=%q: %v", name, err)
		}
	}
	for module, ok := range map[string]bool{
		freeModule: true, "zz-z.z9.zz/zz": true, "zz.zz": true, "": false, "shop": false,
		"acme/shop": false, "https://example.com/shop": false, "example.com/": false, "example.com/a b": false,
		"example.com/../shop": false, "github.com/acme/quadrille": false,
	} {
		if err := checkModule(module); (err == nil) != ok {
			t.Errorf("MODULE=%q: %v", module, err)
		}
	}
}

func TestARefusedRenameChangesNothing(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", "package main\n\nfunc quadrille(taken int) {}\n")
	repository(t, root)
	refused := func(name string, force bool, want string) {
		t.Helper()
		err := rename(root, freeModule, name, force, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NAME=%s: %v, want %q", name, err, want)
		}
		if text, _ := os.ReadFile(filepath.Join(root, "main.go")); !bytes.Contains(text, []byte("quadrille")) {
			t.Errorf("NAME=%s changed main.go: %s", name, text)
		}
	}
	refused("taken", false, "the code uses")
	refused("a-b", false, "hyphen")
	write("new.txt", "not committed")
	refused(freeName, false, errDirty.Error())
	write("golden.bin", "\x00 Quadrille")
	refused(freeName, true, "golden.bin holds the name")
	if err := os.Remove(filepath.Join(root, "golden.bin")); err != nil {
		t.Fatal(err)
	}
	write(notice, "")
	refused(freeName, true, errRenamed.Error())
}

// TestTheRepositoryThatRunsAHookIsLeftAlone: git tells a hook, and so this test if a hook runs it, which repository it
// works on.
func TestTheRepositoryThatRunsAHookIsLeftAlone(t *testing.T) {
	theirs, root := t.TempDir(), t.TempDir()
	for _, folder := range []string{theirs, root} {
		if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte("package quadrille\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	repository(t, theirs)
	before := run(t, theirs, "git", "log", "--format=%H", "--all")
	t.Setenv("GIT_DIR", filepath.Join(theirs, ".git"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(theirs, ".git", "index"))
	t.Setenv("GIT_WORK_TREE", theirs)

	if err := os.WriteFile(filepath.Join(root, "other.go"), []byte("package quadrille\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	repository(t, root)
	if err := rename(root, freeModule, freeName, false, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(root, "other.go")); string(text) != "package "+freeName+"\n" {
		t.Errorf("renamed to %q (%v)", text, err)
	}
	for _, variable := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} {
		if err := os.Unsetenv(variable); err != nil {
			t.Fatal(err)
		}
	}
	after := run(t, theirs, "git", "log", "--format=%H", "--all")
	if changes := run(t, theirs, "git", "status", "--porcelain"); after != before || changes != "" {
		t.Errorf("the other repository has changed: commits\n%s\nwere\n%s\nstatus\n%s", after, before, changes)
	}
}

// documented returns what a page gives as the example of `make rename`.
func documented(t *testing.T) (module, name string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/adopting.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^make rename MODULE=(\S+) NAME=(\S+)$`).FindSubmatch(page)
	if m == nil {
		t.Fatal("docs/adopting.md has no example of make rename")
	}
	return string(m[1]), string(m[2])
}

// TestARenamedCopyStands renames a copy of this tree by the documented command, builds and tests it, and places an order.
func TestARenamedCopyStands(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOTHING WAS RENAMED: -short; `go test ./test/rename` does it")
	}
	if _, err := os.Stat("../../" + notice); err == nil {
		t.Skip("SKIPPED: this is a renamed copy, which is not renamed again")
	}
	root := t.TempDir()
	module, name := documented(t)
	copyTree(t, "../..", root)
	repository(t, root)
	said := run(t, root, "make", "-s", "rename", "MODULE="+module, "NAME="+name)
	if !strings.Contains(said, "By hand: SECURITY.md") {
		t.Errorf("rename does not say what is left: %s", said)
	}

	old := []byte(oldName)
	walk(t, root, func(path string, text []byte) {
		if path != notice && bytes.Contains(bytes.ToLower(append([]byte(path+"\n"), text...)), old) {
			t.Errorf("%s still holds the old name", path)
		}
	})
	if unformatted := run(t, root, "gofmt", "-l", "."); unformatted != "" {
		t.Errorf("not formatted: %s", unformatted)
	}
	run(t, root, "go", "vet", "work") // compiles the tests too
	commit(t, root)
	run(t, root, "make", "-s", "generate")
	if changed := run(t, root, "git", "diff"); changed != "" {
		t.Errorf("what is generated changed:\n%s", changed)
	}
	t.Run("it takes an order", func(t *testing.T) { takesAnOrder(t, root, name) })
	t.Run("its tests pass", func(t *testing.T) {
		// Of pkg those whose tests carry the name: in variables, metrics, namespaces and problems. All were vetted above.
		packages := []string{
			"test", "-short", "-vet=off", "./pkg/event", "./pkg/httpapi", "./pkg/serde", "./pkg/service", "./pkg/telemetry",
			"./schemas/...", "./cmd/" + name + "/...", "./test/rename",
		}
		services, err := os.ReadDir(filepath.Join(root, "services"))
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range services {
			packages = append(packages, "./services/"+service.Name()+"/...")
		}
		run(t, root, "go", packages...)
	})
}

func takesAnOrder(t *testing.T, root, name string) {
	run(t, root, "make", "-s", "build")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p, err := launch.Up(ctx, launch.Config{
		Path: filepath.Join(root, "bin", name), Dir: root, Args: []string{"--ephemeral", "--free-ports"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}()
	placed, err := p.Place(ctx, client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := p.Completed(ctx, placed.ID); err != nil || o.Status != "confirmed" {
		t.Errorf("the order: %+v, %v", o, err)
	}
}

// copyTree copies what git tracks, and what it does not ignore, as it stands now.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	listed, err := ask(from, "ls-files", "-co", "--exclude-standard", "-z")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split(strings.Trim(listed, "\x00"), "\x00") {
		path := filepath.Join(to, file)
		text, err := os.ReadFile(filepath.Join(from, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(from, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// repository makes a folder one whose files are all committed.
func repository(t *testing.T, root string) {
	t.Helper()
	run(t, root, "git", "init", "-q")
	commit(t, root)
}

func commit(t *testing.T, root string) {
	t.Helper()
	run(t, root, "git", "add", "-A")
	run(t, root, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "copy")
}

func run(t *testing.T, root, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = root
	// A go command started by `go test` is told where this workspace is. The settings of whoever runs this may have a
	// commit signed, or hooks run.
	cmd.Env = append(git.Environ(), "GOWORK=", "PWD="+root, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func walk(t *testing.T, root string, fn func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		fn(filepath.ToSlash(relative), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
