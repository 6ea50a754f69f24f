package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const keeperFile = "keeper"

// ErrDown is why there are no parts to find.
var ErrDown = errors.New("the parts are not up; start them with `make real-up`")

// Keep starts parts and keeps them until ctx ends. Their addresses are in the folder meanwhile, and ready is called
// once they are. A second keeper of the same folder is refused.
func Keep(ctx context.Context, cfg Config, dir string, ready func()) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder of the parts: %w", err)
	}
	// Held while the parts run, so that a process id that was left behind is not taken for that of a keeper.
	lock, err := os.OpenFile(filepath.Join(dir, keeperFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("folder of the parts: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("the parts of %s are up already: %w", dir, err)
	}
	if err := errors.Join(lock.Truncate(0), write(lock, os.Getpid())); err != nil {
		return fmt.Errorf("folder of the parts: %w", err)
	}
	p, err := Start(ctx, cfg, Given())
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.Remove(filepath.Join(dir, addressesFile)),
			os.Remove(filepath.Join(dir, environmentFile)), p.Stop())
	}()
	if err := p.Addresses.write(dir); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}

func write(to *os.File, pid int) error {
	_, err := fmt.Fprintln(to, pid)
	return err
}

// Find returns the addresses that a keeper has told in a folder, or ErrDown if there is none.
func Find(dir string) (Addresses, error) {
	if _, err := keeper(dir); err != nil {
		return Addresses{}, err
	}
	return readAddresses(dir)
}

// Down stops the keeper of a folder, and waits until it has stopped the parts.
func Down(ctx context.Context, dir string) error {
	pid, err := keeper(dir)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the parts: %w", err)
	}
	for {
		_, err := keeper(dir)
		if errors.Is(err, ErrDown) {
			return nil
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("process %d still runs: %w", pid, ctx.Err())
		case <-timer.C:
		}
	}
}

// keeper is the process that keeps the parts of a folder.
func keeper(dir string) (pid int, err error) {
	path := filepath.Join(dir, keeperFile)
	lock, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrDown
	} else if err != nil {
		return 0, fmt.Errorf("keeper of the parts: %w", err)
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, ErrDown
	}
	text, err := os.ReadFile(path)
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		return 0, fmt.Errorf("keeper of the parts: %w", err)
	}
	return pid, nil
}
