package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// BinariesVariable names a folder of binaries for [Find].
const BinariesVariable = "QUADRILLE_TEST_POSTGRES_BIN"

// ErrNotInstalled is why there is no server to start. Its text names the cure.
var ErrNotInstalled = errors.New("PostgreSQL's server binaries are not installed: install them " +
	"(Debian: apt-get install postgresql; macOS: brew install postgresql), " +
	"or set " + BinariesVariable + " to their folder")

// Find returns the folder of initdb and postgres: that of QUADRILLE_TEST_POSTGRES_BIN, else the newest of Debian's,
// else that of the PATH, else Homebrew's. If there is none the error is [ErrNotInstalled].
func Find() (string, error) {
	if dir := os.Getenv(BinariesVariable); dir != "" {
		if !complete(dir) {
			return "", fmt.Errorf("%s is %q, which does not hold initdb and postgres", BinariesVariable, dir)
		}
		return dir, nil
	}
	newest, best := "", 0
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range debian {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version > best && complete(dir) {
			newest, best = dir, version
		}
	}
	if newest != "" {
		return newest, nil
	}
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(initdb))
		// postgres finds its libraries from where it really is.
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	dirs = append(dirs, "/opt/homebrew/opt/postgresql/bin", "/usr/local/opt/postgresql/bin", "/usr/pgsql/bin")
	for _, dir := range dirs {
		if complete(dir) {
			return dir, nil
		}
	}
	return "", ErrNotInstalled
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}
