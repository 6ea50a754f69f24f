package reset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

var (
	// ErrInUse says that a platform, or a service of it, runs on the folder.
	ErrInUse = errors.New("the folder is in use")
	// ErrForeign says that no platform made the folder.
	ErrForeign = errors.New("not the data folder of a platform")
)

// written are the patterns of what `up` and its services write into a data folder.
var written = []string{
	"kafka", "registry", "gateway", "mailbox", "logs", "samples.unfinished",
	"*.db", "*.db-wal", "*.db-shm", "*.db-journal", "*.db.lock",
}

// owned are the files whose lock broker, registry, gateway and mailbox hold while they run. Each platform has them, and
// hardly anything else does.
var owned = []string{"kafka/broker.lock", "registry/registry.lock", "gateway/gateway.lock", "mailbox/mailbox.lock"}

// folder and what in it is to be removed.
type folder struct {
	Folder  string   `json:"folder"`
	Removed []string `json:"removed"`
	Kept    []string `json:"kept"` // no platform wrote it
	Bytes   int64    `json:"bytes"`
}

// look finds what is to be removed. A folder that does not exist has nothing.
func look(path string) (folder, error) {
	f := folder{Folder: path, Removed: []string{}, Kept: []string{}}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("look into the data folder: %w", err)
	}
	for _, e := range entries {
		if !ours(e.Name()) || !locked(path, e.Name()) {
			f.Kept = append(f.Kept, e.Name())
			continue
		}
		f.Removed = append(f.Removed, e.Name())
	}
	if len(entries) > 0 && !slices.ContainsFunc(owned, func(lock string) bool {
		_, err := os.Stat(filepath.Join(path, filepath.FromSlash(lock)))
		return err == nil
	}) {
		return f, fmt.Errorf("%s is %w: it has none of the files %v", path, ErrForeign, owned)
	}
	for _, name := range f.Removed {
		total, err := sizeOf(filepath.Join(path, name))
		if err != nil {
			return f, err
		}
		f.Bytes += total
	}
	return f, nil
}

func ours(name string) bool {
	return slices.ContainsFunc(written, func(pattern string) bool {
		matches, _ := filepath.Match(pattern, name) // the patterns are well formed
		return matches
	})
}

// locked is true of the files of a database beside which a service left its lock, and of whatever is of no database.
func locked(folder, name string) bool {
	base, _, database := strings.Cut(name, ".db")
	if !database {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, base+".db.lock"))
	return err == nil
}

func sizeOf(path string) (total int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure the data folder: %w", err)
	}
	return total, nil
}

// lock keeps platforms and services off the folder until release is called. It returns ErrInUse if one is there.
func (f folder) lock() (release func(), err error) {
	var held []*flock.Flock
	release = func() {
		for _, lock := range held {
			_ = lock.Unlock() // its file may be gone by now
		}
	}
	databases, _ := filepath.Glob(filepath.Join(f.Folder, "*.db.lock")) // the pattern is well formed
	for _, path := range append(databases, f.owned()...) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		lock := flock.New(path)
		locked, err := lock.TryLock()
		if err != nil || !locked {
			release()
		}
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !locked {
			return nil, fmt.Errorf("%w: a platform runs on %s and holds %s; stop it first", ErrInUse, f.Folder, path)
		}
		held = append(held, lock)
	}
	return release, nil
}

func (f folder) owned() []string {
	var paths []string
	for _, lock := range owned {
		paths = append(paths, filepath.Join(f.Folder, filepath.FromSlash(lock)))
	}
	return paths
}

func (f folder) isEmpty() bool { return len(f.Removed) == 0 }

// remove leaves the folder itself if something is kept in it.
func (f folder) remove() error {
	for _, name := range f.Removed {
		if err := os.RemoveAll(filepath.Join(f.Folder, name)); err != nil {
			return fmt.Errorf("remove the data: %w", err)
		}
	}
	if len(f.Kept) > 0 {
		return nil
	}
	if err := os.Remove(f.Folder); err != nil {
		return fmt.Errorf("remove the data folder: %w", err)
	}
	return nil
}

// say what was removed.
func (c Command) say(to io.Writer, f folder) error {
	if c.JSON {
		return json.NewEncoder(to).Encode(f)
	}
	if f.isEmpty() {
		_, err := fmt.Fprintf(to, "There is nothing to remove in %s.\n", f.Folder)
		return err
	}
	if _, err := fmt.Fprintf(to, "Removed from %s, %s:\n", f.Folder, size(f.Bytes)); err != nil {
		return err
	}
	for _, name := range f.Removed {
		if _, err := fmt.Fprintf(to, "  %s\n", name); err != nil {
			return err
		}
	}
	for _, name := range f.Kept {
		if _, err := fmt.Fprintf(to, "Left %s, which no platform wrote.\n", name); err != nil {
			return err
		}
	}
	return nil
}

// size in the largest unit that leaves a number of at least 1.
func size(n int64) string {
	count, unit := float64(n), 0
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	for count >= 1024 && unit < len(units)-1 {
		count, unit = count/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", count, units[unit])
}
