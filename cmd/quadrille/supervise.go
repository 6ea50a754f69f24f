package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxDeaths   = 5
	deathWindow = 30 * time.Second
	stopWithin  = 20 * time.Second // a service drains within 10 s by default
	lastLines   = 20
)

// supervise keeps a service alive as a process of its own until ctx ends. The process holds the read end of a pipe
// from here as its standard input and stops at its end, so that it does not outlive this process however that dies. A
// service that dies five times in 30 s is given up with its last words.
func supervise(ctx context.Context, name string, env map[string]string, logPath string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("log of %s: %w", name, err)
	}
	defer log.Close()

	var deaths []time.Time
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		tail := &tail{to: log}
		err := runChild(ctx, self, name, env, tail)
		if ctx.Err() != nil {
			return nil
		}
		now := time.Now()
		deaths = append(deaths, now)
		for len(deaths) > 0 && now.Sub(deaths[0]) > deathWindow {
			deaths = deaths[1:]
			pause = 100 * time.Millisecond
		}
		if len(deaths) >= maxDeaths {
			return fmt.Errorf("%s died %d times in %s, the last time with: %w\n%s\nall it said is in %s",
				name, maxDeaths, deathWindow, err, tail.text(), logPath)
		}
		fmt.Fprintf(os.Stderr, "quadrille: %s died (%v); starting it again\n", name, err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// runChild returns when the process has ended, which it is asked to do at the end of ctx and made to do later.
func runChild(ctx context.Context, self, name string, env map[string]string, out *tail) error {
	cmd := exec.CommandContext(ctx, self, "service", name, "--lifeline")
	cmd.Env = os.Environ()
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Stdout, cmd.Stderr = out, out
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("lifeline of %s: %w", name, err)
	}
	defer lifeline.Close()
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWithin
	err = cmd.Run()
	if err == nil {
		err = errors.New("ended by itself")
	}
	return err
}

// tail writes on and keeps the last lines.
type tail struct {
	mu   sync.Mutex
	to   *os.File
	last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if keep := 64 << 10; len(t.last) > keep {
		t.last = append([]byte(nil), t.last[len(t.last)-keep:]...)
	}
	return t.to.Write(p)
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.last)), "\n")
	return strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}
