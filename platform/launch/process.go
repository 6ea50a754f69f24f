// Package launch starts the built program as processes of their own, as a user does, and stops them: a whole platform
// by `quadrille up`, further services beside it. Tests, benchmarks and the demonstration use it.
package launch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stopWithin is how long a process may take to stop: `up` gives each of its services 20 s.
const stopWithin = time.Minute

// Config says which program to start and how.
type Config struct {
	// Path of the program, and its arguments.
	Path string
	Args []string
	// Env is added to the environment. Defaults to nothing.
	Env []string
	// Dir is where it runs. Defaults to the folder of this process.
	Dir string
	// Stderr gets what it says there, which is kept for Process.Stderr anyway. Defaults to none.
	Stderr io.Writer
}

// Process is a program that was started. Its methods may be called from any goroutine.
type Process struct {
	// Stdin ends when the process is stopped, or when this program ends, however it does.
	Stdin io.WriteCloser

	cmd    *exec.Cmd
	lines  chan string
	unread chan struct{} // closed once nobody reads lines any more
	exited chan struct{}
	err    error // of Wait; read after exited
	stderr buffer
	ignore func()
	killed atomic.Bool // by Stop, which then takes no end amiss
}

// Start starts a program. It runs until Stop, whatever becomes of a context.
func Start(cfg Config) (*Process, error) {
	p := &Process{
		cmd: exec.Command(cfg.Path, cfg.Args...), lines: make(chan string),
		unread: make(chan struct{}), exited: make(chan struct{}),
	}
	p.ignore = sync.OnceFunc(func() { close(p.unread) })
	p.stderr.also = cfg.Stderr
	p.cmd.Dir, p.cmd.Stderr = cfg.Dir, &p.stderr
	p.cmd.Env = append(os.Environ(), cfg.Env...)
	var err error
	if p.Stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("standard input of %s: %w", cfg.Path, err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("standard output of %s: %w", cfg.Path, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	go p.watch(stdout)
	return p, nil
}

// watch hands on what the process prints and waits for its end.
func (p *Process) watch(stdout io.Reader) {
	defer close(p.exited)
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		select {
		case p.lines <- scanner.Text():
		case <-p.unread:
		}
	}
	close(p.lines)
	p.err = p.cmd.Wait()
}

// Line returns the next line of standard output.
func (p *Process) Line(ctx context.Context) (string, error) {
	select {
	case line, more := <-p.lines:
		if more {
			return line, nil
		}
		<-p.exited
		return "", fmt.Errorf("%s ended: %w\n%s", p.cmd, p.ended(), p.Stderr())
	case <-ctx.Done():
		return "", fmt.Errorf("%s says nothing: %w\n%s", p.cmd, ctx.Err(), p.Stderr())
	}
}

func (p *Process) ended() error {
	if p.err == nil {
		return errors.New("with success")
	}
	return p.err
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Dir is the folder in which the process runs, empty for that of this program.
func (p *Process) Dir() string { return p.cmd.Dir }

// Stderr is what the process has said on standard error.
func (p *Process) Stderr() string { return p.stderr.String() }

// Exited is closed once the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Killed reports whether the process has ended by SIGKILL, whoever sent it.
func (p *Process) Killed() bool {
	select {
	case <-p.exited:
	default:
		return false
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// Stop sends a signal and waits for the end of the process, which is killed if it takes more than a minute. The error
// holds what the process said, unless its status is 0 or it was stopped by SIGKILL. Stopping again returns the same.
func (p *Process) Stop(signal syscall.Signal) error {
	p.ignore()
	if signal == syscall.SIGKILL {
		p.killed.Store(true)
	}
	_ = p.cmd.Process.Signal(signal) // it may have ended
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s did not stop within %s and was killed\n%s", p.cmd, stopWithin, p.Stderr())
	}
	if p.err != nil && !p.killed.Load() {
		return fmt.Errorf("%s: %w\n%s", p.cmd, p.err, p.Stderr())
	}
	return nil
}

// buffer keeps what is written to it, and writes it on.
type buffer struct {
	mu   sync.Mutex
	kept bytes.Buffer
	also io.Writer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept.Write(data)
	if b.also != nil {
		return b.also.Write(data)
	}
	return len(data), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.kept.String())
}
