// Package binary builds the programs that tests run.
package binary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Quadrille is the package of the command.
const Quadrille = "github.com/quadrille-platform/quadrille/cmd/quadrille"

// Build builds a package into the file to, with flags of `go build` such as -tags.
func Build(to, pkg string, flags ...string) error {
	args := append([]string{"build", "-o", to}, flags...)
	if said, err := exec.Command("go", append(args, pkg)...).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, said)
	}
	return nil
}

// Shared is the command, built once for all tests of a package, whose TestMain is to call Run.
type Shared struct {
	once   sync.Once
	folder string
	err    error
}

// Path of the program, which is built at the first call. It is alone in its folder.
func (s *Shared) Path() (string, error) {
	s.once.Do(func() {
		if s.folder, s.err = os.MkdirTemp("", "quadrille-test-"); s.err == nil {
			s.err = Build(s.path(), Quadrille)
		}
	})
	return s.path(), s.err
}

func (s *Shared) path() string { return filepath.Join(s.folder, "quadrille") }

// Run runs the tests, removes what was built and ends the process.
func (s *Shared) Run(m *testing.M) {
	status := m.Run()
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
	os.Exit(status)
}
