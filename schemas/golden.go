package schemas

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

//go:embed golden
var golden embed.FS

// Version of an event's schema. Once published it never changes, and stays in the folder golden for ever:
// <record>/v<n>.avsc is the schema, .json a value, .bin that value's Avro encoding without framing.
type Version struct {
	Schema      string
	Body, Value []byte
}

// VersionFiles are the suffixes of a version's files.
var VersionFiles = [...]string{".avsc", ".bin", ".json"}

// Golden returns the versions of each record, oldest first, by its full name.
func Golden() map[string][]Version {
	folder, err := fs.Sub(golden, "golden")
	if err != nil {
		panic(err) // it is embedded
	}
	kept, err := LoadGolden(folder)
	if err != nil {
		panic(err) // a test loads it
	}
	return kept
}

// LoadGolden returns the versions that a folder holds, as Golden does those of the program. None may be missing.
func LoadGolden(folder fs.FS) (map[string][]Version, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("golden versions: %w", err)
	}
	kept := make(map[string][]Version)
	for _, entry := range entries {
		name, versions, err := loadVersions(folder, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("golden versions of %s: %w", entry.Name(), err)
		}
		kept[name] = versions
	}
	return kept, nil
}

// loadVersions returns the versions of a record and its full name, which is that of its newest schema.
func loadVersions(folder fs.FS, record string) (name string, versions []Version, err error) {
	files, err := fs.ReadDir(folder, record)
	if err != nil {
		return "", nil, err
	}
	if len(files) == 0 || len(files)%len(VersionFiles) != 0 {
		return "", nil, fmt.Errorf("%d files: each version has three", len(files))
	}
	for number := range len(files) / len(VersionFiles) {
		v, err := loadVersion(folder, record, number+1)
		if err != nil {
			return "", nil, err
		}
		versions = append(versions, v)
	}
	name, err = fullName(versions[len(versions)-1].Schema)
	if err == nil && simple(name) != record {
		err = fmt.Errorf("the schema is that of %s", name)
	}
	return name, versions, err
}

func loadVersion(folder fs.FS, record string, number int) (Version, error) {
	file := path.Join(record, fmt.Sprintf("v%d", number))
	schema, err1 := fs.ReadFile(folder, file+".avsc")
	body, err2 := fs.ReadFile(folder, file+".bin")
	value, err3 := fs.ReadFile(folder, file+".json")
	return Version{string(schema), body, value}, errors.Join(err1, err2, err3)
}

func fullName(schema string) (string, error) {
	var record struct{ Namespace, Name string }
	if err := json.Unmarshal([]byte(schema), &record); err != nil {
		return "", fmt.Errorf("schema: %w", err)
	}
	return record.Namespace + "." + record.Name, nil
}
