// Package folder gives a data folder to one process at a time.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrInUse is returned for a folder that another process, or another part of this one, owns.
var ErrInUse = errors.New("data folder is in use")

// Own creates the folder if need be and locks it until release is called or the process ends, however it ends. The name
// says what owns it, for the error of whoever comes second. An empty path owns nothing.
func Own(path, name string) (release func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder of the %s: %w", name, err)
	}
	lock := flock.New(filepath.Join(path, name+".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder of the %s: %w", name, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: another %s works in %s; stop it, or choose another folder", ErrInUse, name, path)
	}
	return lock.Close, nil
}
