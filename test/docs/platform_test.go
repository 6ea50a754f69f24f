// Package docs holds the documentation true: every command of the README runs, every link and every name leads
// somewhere, and an order takes the way that docs/follow-an-order.md shows.
package docs

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 5 * time.Minute

// root of the repository, seen from here.
const root = "../.."

var built binary.Shared

func TestMain(m *testing.M) { built.Run(m) }

// home returns a folder with bin/quadrille in it, as a clone has after `make build`. No two tests share one, for a
// reader's commands tell processes apart by their path.
func home(t *testing.T) string {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, filepath.Join(folder, quadrille)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// quadrille in a home.
const quadrille = "bin/quadrille"

// process is a program that was started and is stopped at the end of its test.
type process struct{ *launch.Process }

// start runs a program of folder, with env added to the environment.
func start(t *testing.T, env []string, folder, path string, args ...string) *process {
	t.Helper()
	p, err := launch.Start(launch.Config{Path: filepath.Join(folder, path), Args: args, Env: env, Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	// That it ended badly shows in what it was wanted for.
	t.Cleanup(func() { _ = p.Stop(syscall.SIGTERM) })
	return &process{p}
}

// line reads the next line of standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	line, err := p.Line(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// platform is a running `quadrille up`.
type platform struct{ *launch.Platform }

func up(t *testing.T, args ...string) *platform {
	t.Helper()
	return upIn(t, home(t), args...)
}

// upIn starts the platform of the folder's bin/quadrille.
func upIn(t *testing.T, folder string, args ...string) *platform {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := launch.Up(ctx, launch.Config{
		Path: filepath.Join(folder, quadrille), Dir: folder, Args: append([]string{"--ephemeral", "--free-ports"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	return &platform{p}
}

// eventually tries until it succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Until(ctx, what, try); err != nil {
		t.Fatal(err)
	}
}

// anyone calls addresses that are given in full.
var anyone = client.New(client.Addresses{})

// call sends body, if there is one, as JSON, and decodes the answer.
func call(t *testing.T, method, addr, path, body string, into any) error {
	t.Helper()
	var sent any
	if body != "" {
		sent = json.RawMessage(body)
	}
	_, err := anyone.Call(t.Context(), method, "http://"+addr+path, sent, into)
	return err
}
