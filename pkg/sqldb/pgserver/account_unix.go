//go:build unix

package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user PostgreSQL runs as. Nil is the user of this process.
type account struct{ credential *syscall.Credential }

// unprivileged returns this process's user, or one that root may become.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("group of user %s: %w", name, err)
		}
		return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return account{}, errors.New("root cannot run it, and there is no user postgres or nobody")
}

// attributes puts a process into a session of its own, so that Ctrl-C on the terminal does not reach it.
func (a account) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential, Setsid: true}
}

// folder makes the folder, a temporary one by default, and gives it to the account.
func (a account) folder(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp(a.temporary(), "postgres-")
		if err != nil {
			return "", err
		}
		dir = made
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if a.credential == nil {
		return dir, nil
	}
	if !traversable(filepath.Dir(dir)) {
		return "", fmt.Errorf("uid %d, as which it must run, cannot enter %s; name another folder",
			a.credential.Uid, dir)
	}
	return dir, os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid))
}

// temporary is the folder for temporary files, or /tmp where the account cannot enter that.
func (a account) temporary() string {
	if dir := os.TempDir(); a.credential == nil || traversable(dir) {
		return dir
	}
	return "/tmp"
}

// traversable says whether everyone may enter dir.
func traversable(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// killSession kills the watchdog and its server.
func killSession(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
