// Package schemas_test holds the contracts to what was ever published: schemas/golden keeps every version of every
// event's schema with a value and its bytes, and no release may fail to read one of them.
package schemas_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// goldenFolder of the versions: <record>/v<n>.avsc is the schema, .json a value, .bin the Avro body of that value
// without framing. Files are added (go test ./schemas -update), never changed.
const goldenFolder = "../../schemas/golden"

// version of a record's schema.
type version struct {
	schema string
	body   []byte
	value  []byte // JSON
}

var suffixes = []string{".avsc", ".bin", ".json"}

// load returns the versions of each record in dir, oldest first, by the record's simple name. None may be missing.
func load(dir string) (map[string][]version, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("golden versions: %w", err)
	}
	kept := make(map[string][]version)
	for _, entry := range entries {
		files, err := os.ReadDir(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("golden versions: %w", err)
		}
		if len(files) == 0 || len(files)%len(suffixes) != 0 {
			return nil, fmt.Errorf("golden versions: %s has %d files: each version has three", entry.Name(), len(files))
		}
		for number := range len(files) / len(suffixes) {
			v, err := read(dir, entry.Name(), number+1)
			if err != nil {
				return nil, fmt.Errorf("golden versions: %w", err)
			}
			kept[entry.Name()] = append(kept[entry.Name()], v)
		}
	}
	return kept, nil
}

func read(dir, record string, number int) (version, error) {
	schema, err1 := os.ReadFile(file(dir, record, number, ".avsc"))
	body, err2 := os.ReadFile(file(dir, record, number, ".bin"))
	value, err3 := os.ReadFile(file(dir, record, number, ".json"))
	return version{string(schema), body, value}, errors.Join(err1, err2, err3)
}

// add writes a version that is not there yet. The error wraps fs.ErrExist if any of its files is.
func add(dir, record string, number int, v version) error {
	if err := os.MkdirAll(filepath.Join(dir, record), 0o755); err != nil {
		return fmt.Errorf("add a golden version: %w", err)
	}
	for i, data := range [][]byte{[]byte(v.schema), v.body, v.value} {
		if err := create(file(dir, record, number, suffixes[i]), data); err != nil {
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

func file(dir, record string, number int, suffix string) string {
	return filepath.Join(dir, record, fmt.Sprintf("v%d%s", number, suffix))
}

// simple returns a full name's last part, which is unique among our records: their Go types share a package.
func simple(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
