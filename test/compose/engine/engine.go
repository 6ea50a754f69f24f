// Package engine finds a container engine and the docker command with its plugins, or starts the one and builds the
// others.
package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	startWithin = time.Minute
	stopWithin  = time.Minute
	lastBytes   = 4 << 10 // of a log or of what a command said that an error repeats
)

// Config says where things are.
type Config struct {
	// Dir keeps the plugins that were built and, of an engine that was started, images and volumes.
	Dir string
	// Plugins is the folder of the module that they are built from.
	Plugins string
	// Progress is told what takes time.
	Progress io.Writer
}

// Engine runs containers.
type Engine struct {
	config Config
	env    []string
	// Own is true of an engine that was started here.
	Own bool
	// process, its end and its folder are those of an engine that was started here.
	process *exec.Cmd
	ended   chan struct{}
	run     string
}

// Start returns the engine that the environment knows, or else starts one that lasts until Stop.
func Start(ctx context.Context, config Config) (_ *Engine, err error) {
	e := &Engine{config: config, env: os.Environ()}
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, errors.New("the docker command is not installed (Debian: package docker.io)")
	}
	if _, err := e.Output(ctx, "version", "--format", "{{.Server.Version}}"); err != nil {
		if err := e.start(ctx); err != nil {
			return nil, errors.Join(err, e.Stop())
		}
	}
	if err := e.plugins(ctx); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	return e, nil
}

// start runs dockerd, which needs root.
func (e *Engine) start(ctx context.Context) (err error) {
	for _, program := range []string{"dockerd", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no container engine answers, and none can be started: %s is not installed "+
				"(Debian: packages docker.io and iptables)", program)
		}
	}
	if err := os.MkdirAll(e.config.Dir, 0o755); err != nil {
		return fmt.Errorf("folder of the engine's data: %w", err)
	}
	data, err := filepath.EvalSymlinks(e.config.Dir) // runc refuses a root below a link
	if err != nil {
		return fmt.Errorf("folder of the engine's data: %w", err)
	}
	// A socket's path is short, and the data's place may not be.
	if e.run, err = os.MkdirTemp("", "quadrille-engine-"); err != nil {
		return fmt.Errorf("folder of the engine: %w", err)
	}
	log, err := os.Create(filepath.Join(e.run, "log"))
	if err != nil {
		return fmt.Errorf("log of the engine: %w", err)
	}
	defer log.Close()
	host := "unix://" + filepath.Join(e.run, "docker.sock")
	e.process = exec.Command("dockerd", "--data-root", filepath.Join(data, "engine"),
		"--exec-root", filepath.Join(e.run, "exec"), "--pidfile", filepath.Join(e.run, "pid"), "--host", host,
		"--storage-driver", "overlay2", "--log-level", "warn")
	e.process.Stdout, e.process.Stderr = log, log
	e.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the test, which stops it
	if err := e.process.Start(); err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	e.Own, e.ended = true, make(chan struct{})
	go func() {
		defer close(e.ended)
		_ = e.process.Wait() // its log says more
	}()
	e.env = append(e.env, "DOCKER_HOST="+host)
	fmt.Fprintln(e.config.Progress, "started an engine:", host)

	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	err = client.Until(ctx, "the engine", func() error {
		select {
		case <-e.ended:
			cancel()
			return errors.New("dockerd has ended")
		default:
		}
		_, err := e.Output(ctx, "version", "--format", "{{.Server.Version}}")
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(filepath.Join(e.run, "log")))
	}
	return nil
}

// Stop stops the engine if it was started here. Images and volumes stay.
func (e *Engine) Stop() error {
	if e.process == nil {
		return nil
	}
	_ = e.process.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-e.ended:
	case <-time.After(stopWithin):
		_ = e.process.Process.Kill()
		<-e.ended
		return errors.New("the engine did not stop by itself")
	}
	return os.RemoveAll(e.run)
}

// With returns the same engine for commands with further environment variables, each NAME=value.
func (e *Engine) With(env ...string) *Engine {
	other := *e
	other.env = slices.Concat(e.env, env)
	return &other
}

// Output is what a docker command prints.
func (e *Engine) Output(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := e.pipe(ctx, nil, &out, args...)
	return strings.TrimSpace(out.String()), err
}

// Docker runs a docker command, which reads stdin if that is not nil.
func (e *Engine) Docker(ctx context.Context, stdin io.Reader, args ...string) error {
	return e.pipe(ctx, stdin, io.Discard, args...)
}

// To writes what a docker command prints.
func (e *Engine) To(ctx context.Context, stdout io.Writer, args ...string) error {
	return e.pipe(ctx, nil, stdout, args...)
}

func (e *Engine) pipe(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = e.env, stdin, stdout, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		text := said.String()
		return fmt.Errorf("docker %s: %w\n%s", strings.Join(args, " "), err, text[max(0, len(text)-lastBytes):])
	}
	return nil
}

func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-lastBytes):])
}
