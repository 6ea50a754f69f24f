package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/test/internal/overlay"
)

// testTimeout bounds one test, and is given to it: a test that hangs is no test that fails.
const testTimeout = 2 * time.Minute

var (
	errEscaped = errors.New("ESCAPED")
	errPatch   = errors.New("the patch does not apply any more; test/bugs/main.go says how to make it anew")
	errBuild   = errors.New("the patched tree does not build")
	errHealthy = errors.New("the test fails without the bug")
)

// bank tries bugs on the tree at root.
type bank struct {
	root, work string   // work is a folder of its own
	dependents []string // packages that have to build too
	env        []string // of the tests, beside the environment

	mu      sync.Mutex
	healthy map[string]func() (string, error) // the test binary of a package as it is
}

// catch returns nil if the bug is caught: patched, the tree builds and vets and the test fails naming the guarantee;
// as it is, the test passes.
func (b *bank) catch(ctx context.Context, bug bug) error {
	folder := filepath.Join(b.work, bug.name)
	patched, err := overlay.Apply(b.root, bug.file, filepath.Join(folder, "tree"))
	if err != nil {
		return fmt.Errorf("%w: %w", errPatch, err)
	}
	defer os.RemoveAll(folder)
	if err := b.passes(ctx, bug); err != nil {
		return err
	}
	return b.fails(ctx, bug, patched, filepath.Join(folder, "broken.test"))
}

// passes is nil if the bug's test passes on the tree as it is.
func (b *bank) passes(ctx context.Context, bug bug) error {
	whole, err := b.healthyTest(ctx, bug.pkg)
	if err != nil {
		return err
	}
	out, err := b.run(ctx, bug, whole)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w\n%s", errHealthy, err, out)
	case !strings.Contains(out, "--- PASS: ") || strings.Contains(out, "--- SKIP: "):
		return fmt.Errorf("%w: it does not run\n%s", errHealthy, out)
	}
	return nil
}

// fails is nil if the bug's test, built at path, fails on the patched tree and says why.
func (b *bank) fails(ctx context.Context, bug bug, patched overlay.Overlay, path string) error {
	changed := packages(patched.Files)
	for _, args := range [][]string{
		append([]string{"vet", "-overlay", patched.Path}, changed...),
		append(append([]string{"build", "-overlay", patched.Path}, changed...), b.dependents...),
	} {
		if out, err := b.tool(ctx, args...); err != nil {
			return fmt.Errorf("%w: %w\n%s", errBuild, err, out)
		}
	}
	if err := b.build(ctx, bug.pkg, path, "-overlay", patched.Path); err != nil {
		return fmt.Errorf("%w: %w", errBuild, err)
	}
	if out, err := b.run(ctx, bug, path); err == nil {
		return fmt.Errorf("%w: %s passes", errEscaped, bug.run)
	} else if !strings.Contains(out, "--- FAIL: ") || !strings.Contains(out, bug.says) {
		return fmt.Errorf("%w: %s fails without saying %q\n%s", errEscaped, bug.run, bug.says, out)
	}
	return nil
}

// healthyTest builds the test of a package as it is, once.
func (b *bank) healthyTest(ctx context.Context, pkg string) (string, error) {
	b.mu.Lock()
	build, begun := b.healthy[pkg]
	if !begun {
		path := filepath.Join(b.work, strings.ReplaceAll(pkg, "/", "_")+".test")
		build = sync.OnceValues(func() (string, error) { return path, b.build(ctx, pkg, path) })
		b.healthy[pkg] = build
	}
	b.mu.Unlock()
	return build()
}

// build builds the test of a package. Without symbols it links faster.
func (b *bank) build(ctx context.Context, pkg, path string, flags ...string) error {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags", "-s -w", "-o", path}, flags...)
	if out, err := b.tool(ctx, append(args, "./"+pkg)...); err != nil {
		return fmt.Errorf("build the test of %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func (b *bank) tool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a bug's test in the folder of its package.
func (b *bank) run(ctx context.Context, bug bug, path string) (string, error) {
	cmd := exec.CommandContext(ctx, path, "-test.v", "-test.count=1", "-test.run", bug.run,
		"-test.timeout", testTimeout.String())
	cmd.Dir = filepath.Join(b.root, bug.pkg)
	cmd.Env = append(os.Environ(), b.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), errors.Join(err, ctx.Err())
}

// packages are those of files, each once, as arguments of the go command.
func packages(files []string) (pkgs []string) {
	for _, file := range files {
		if strings.HasSuffix(file, ".go") {
			pkgs = append(pkgs, "./"+filepath.ToSlash(filepath.Dir(file)))
		}
	}
	slices.Sort(pkgs)
	return slices.Compact(pkgs)
}
