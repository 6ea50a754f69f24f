// Package schemas_test holds the contracts to what was ever published: schemas/golden keeps every version of every
// event's schema with a value and its bytes, and no release may fail to read one of them.
package schemas_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/schemas"
)

// goldenFolder is where -update adds versions. Files are added, never changed.
const goldenFolder = "../../schemas/golden"

// add writes a version of the record with that simple name, which is not there yet. The error wraps fs.ErrExist if any
// of its files is.
func add(dir, record string, number int, v schemas.Version) error {
	if err := os.MkdirAll(filepath.Join(dir, record), 0o755); err != nil {
		return fmt.Errorf("add a golden version: %w", err)
	}
	for i, data := range [][]byte{[]byte(v.Schema), v.Body, v.Value} {
		path := filepath.Join(dir, record, fmt.Sprintf("v%d%s", number, schemas.VersionFiles[i]))
		if err := create(path, data); err != nil {
			return fmt.Errorf("add a golden version: %w", err)
		}
	}
	return nil
}

func create(path string, data []byte) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Close())
}
