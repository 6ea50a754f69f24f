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
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

const (
	newModule = "example.com/acme/bazaar"
	newName   = "bazaar"
)

func TestArgumentsAreChecked(t *testing.T) {
	for name, ok := range map[string]bool{
		"shop": true, "b2b": true, "": false, "x": false, "my-shop": false, "my_shop": false, "Shop": false, "2go": false,
		"func": false, "quadrille2": false, "läden": false, strings.Repeat("a", 31): false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("NAME=%q: %v", name, err)
		}
	}
	for module, ok := range map[string]bool{
		"example.com/acme/shop": true, "git.acme.io/b2b": true, "example.com": true, "": false, "shop": false,
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
	write("main.go", "package main\n\nfunc quadrille(stall int) {}\n")
	repository(t, root)
	refused := func(name string, force bool, want string) {
		t.Helper()
		err := rename(root, newModule, name, force, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NAME=%s: %v, want %q", name, err, want)
		}
		if text, _ := os.ReadFile(filepath.Join(root, "main.go")); !bytes.Contains(text, []byte("quadrille")) {
			t.Errorf("NAME=%s changed main.go: %s", name, text)
		}
	}
	refused("stall", false, "the code uses")
	refused("a-b", false, "hyphen")
	write("new.txt", "not committed")
	refused(newName, false, errDirty.Error())
	write("golden.bin", "\x00 Quadrille")
	refused(newName, true, "golden.bin holds the name")
	if err := os.Remove(filepath.Join(root, "golden.bin")); err != nil {
		t.Fatal(err)
	}
	write(notice, "")
	refused(newName, true, errRenamed.Error())
}

// TestARenamedCopyStands renames a copy of this tree as `make rename` does, builds and tests it, and places an order.
func TestARenamedCopyStands(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOTHING WAS RENAMED: -short; `go test ./test/rename` does it")
	}
	if _, err := os.Stat("../../" + notice); err == nil {
		t.Skip("SKIPPED: this is a renamed copy, which is not renamed again")
	}
	root := t.TempDir()
	copyTree(t, "../..", root)
	repository(t, root)
	said := run(t, root, "make", "-s", "rename", "MODULE="+newModule, "NAME="+newName)
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
	t.Run("it takes an order", func(t *testing.T) { takesAnOrder(t, root) })
	t.Run("its tests pass", func(t *testing.T) {
		packages := []string{"test", "-short", "./pkg/...", "./schemas/...", "./cmd/" + newName + "/..."}
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

func takesAnOrder(t *testing.T, root string) {
	run(t, root, "make", "-s", "build")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := launch.Up(ctx, launch.Config{
		Path: filepath.Join(root, "bin", newName), Dir: root, Args: []string{"--ephemeral", "--free-ports"},
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
	listed, err := git(from, "ls-files", "-co", "--exclude-standard", "-z")
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
	// A go command started by `go test` is told where this workspace is.
	cmd.Env = append(os.Environ(), "GOWORK=", "PWD="+root)
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
