package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

const (
	downWithin = 2 * time.Minute
	// progressFD is where the keeper is told to write its progress.
	progressFD = 3
)

type app struct {
	dir string
	cfg parts.Config
}

// up starts a keeper in the background and returns once the parts answer.
func (a app) up(ctx context.Context) error {
	if addresses, err := parts.Find(a.dir); err == nil {
		fmt.Println("The parts are up already.")
		a.announce(addresses)
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return fmt.Errorf("folder of the parts: %w", err)
	}
	log, err := os.Create(filepath.Join(a.dir, "keeper.log"))
	if err != nil {
		return fmt.Errorf("log of the keeper: %w", err)
	}
	defer log.Close()
	progress, told, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe to the keeper: %w", err)
	}
	defer progress.Close()
	cmd := exec.Command(self, "-dir", a.dir, "-store", a.cfg.Store.Dir, "-nodes", fmt.Sprint(a.cfg.Nodes), "keep")
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{told}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the keeper: %w", err)
	}
	_ = told.Close()
	interrupted := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer interrupted()
	_, _ = io.Copy(os.Stdout, progress) // until it is ready, or gone
	addresses, err := parts.Find(a.dir)
	if err != nil || ctx.Err() != nil {
		return fmt.Errorf("the parts did not start: %w", errors.Join(cmd.Wait(), ctx.Err()))
	}
	a.announce(addresses)
	return nil
}

// keep is what runs in the background.
func (a app) keep(ctx context.Context) error {
	progress := os.NewFile(progressFD, "progress")
	a.cfg.Progress = progress
	err := parts.Keep(ctx, a.cfg, a.dir, func() { _ = progress.Close() })
	if err != nil {
		fmt.Fprintln(progress, err)
	}
	return err
}

func (a app) down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, downWithin)
	defer cancel()
	err := parts.Down(ctx, a.dir)
	if errors.Is(err, parts.ErrDown) {
		fmt.Println("Nothing is up.")
		return nil
	}
	return err
}

// run runs a command with the addresses in its environment, and stops what it started for it.
func (a app) run(ctx context.Context, command []string) (err error) {
	if len(command) == 0 {
		return errors.New("no command is given")
	}
	addresses, err := parts.Find(a.dir)
	if errors.Is(err, parts.ErrDown) {
		var p *parts.Parts
		if p, err = parts.Start(ctx, a.cfg, parts.Given()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Stop()) }()
		addresses = p.Addresses
	} else if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = downWithin
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = addresses.Beside(os.Environ())
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return nil
}

// announce says where everything is.
func (a app) announce(addresses parts.Addresses) {
	fmt.Println()
	for _, variable := range addresses.Environment() {
		fmt.Println("  " + variable)
	}
	fmt.Printf("\nThe same for a shell: . %s/environment\nLogs are in %s; make real-down stops all.\n", a.dir, a.dir)
}
