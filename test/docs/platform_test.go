// Package docs holds the documentation true: every command of the README runs, every link and every name leads
// somewhere, and an order takes the way that docs/follow-an-order.md shows.
package docs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 2 * time.Minute

// root of the repository, seen from here.
const root = "../.."

// program builds the command once and returns its path.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "quadrille-docs-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "quadrille")
	return path, build(path, "../../cmd/quadrille")
})

// home returns a folder with bin/quadrille in it, as a clone has after `make build`. No two tests share one, for a
// reader's commands tell processes apart by their path.
func home(t *testing.T) string {
	t.Helper()
	path, err := program()
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

func build(to, pkg string, flags ...string) error {
	args := append([]string{"build", "-o", to}, flags...)
	if out, err := exec.Command("go", append(args, pkg)...).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// process is a program that was started and is stopped at the end of its test.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer // to be read after exited
	exited chan struct{}
	once   sync.Once
}

// start runs a program of folder, with env added to the environment.
func start(t *testing.T, env []string, folder, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(folder, path), args...), exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = folder, append(os.Environ(), env...), &p.stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	// A pipe of our own: Wait would close the command's while it is still read.
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	p.cmd.Stdout, p.stdout = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	go func() {
		_ = p.cmd.Wait() // that it ended badly shows in what it was wanted for
		close(p.exited)
	}()
	t.Cleanup(p.stop)
	return p
}

// stop ends the process and waits for it.
func (p *process) stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		<-p.exited
	})
}

// failure is the end of the test, with what the process said.
func (p *process) failure(t *testing.T, format string, args ...any) {
	t.Helper()
	p.stop()
	t.Fatalf("%s\nstandard error of %s:\n%s", fmt.Sprintf(format, args...), p.cmd, p.stderr.String())
}

// line reads the next line of standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		p.failure(t, "no line of %s: %v", p.cmd, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// platform is a running `quadrille up`.
type platform struct {
	*process
	Kafka, Registry, Gateway string
	Services, Admin          map[string]string
	// environment of each service that was left out.
	environment map[string][]string
}

func up(t *testing.T, args ...string) *platform {
	t.Helper()
	args = append([]string{"up", "--ephemeral", "--free-ports", "--json"}, args...)
	p := &platform{process: start(t, nil, home(t), quadrille, args...), environment: make(map[string][]string)}
	leftOut := ""
	for {
		line := p.line(t)
		name, found := strings.CutSuffix(line, " is left out. Start it elsewhere with")
		variable, isVariable := strings.CutPrefix(line, "export ")
		switch {
		case found:
			leftOut = name
		case isVariable:
			key, value, _ := strings.Cut(variable, "=")
			p.environment[leftOut] = append(p.environment[leftOut], key+"="+strings.Trim(value, "'"))
		case strings.HasPrefix(line, "{"):
			if err := json.Unmarshal([]byte(line), p); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
}

// eventually tries until it succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s: %v", what, err)
		case <-ticker.C:
		}
	}
}

// call sends body, if there is one, as JSON, and decodes the answer.
func call(t *testing.T, method, addr, path, body string, into any) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, said)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said, into)
}
