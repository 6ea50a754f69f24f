package reset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

// data is a folder such as a platform leaves.
func data(t *testing.T, more ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	for _, name := range append([]string{
		"kafka/broker.lock", "kafka/order.events-0/0.log", "registry/registry.lock", "gateway/gateway.lock", "mailbox/mailbox.lock", "order.db",
		"order.db-wal", "order.db.lock", "logs/order.log",
	}, more...) {
		file := filepath.Join(path, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("1234"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestItRemovesAndSaysWhat(t *testing.T) {
	path := data(t)
	var out strings.Builder
	if err := (Command{Data: path, Yes: true}).run(t.Context(), false, nil, &out); err != nil {
		t.Fatal(err)
	}
	want := "Removed from " + path + ", 36 bytes:\n  gateway\n  kafka\n  logs\n  mailbox\n  order.db\n  order.db-wal\n  order.db.lock\n  registry\n"
	if diff := cmp.Diff(want, out.String()); diff != "" || exists(path) {
		t.Errorf("it exists: %t, said (-want +got)\n%s", exists(path), diff)
	}
	out.Reset()
	if err := (Command{Data: path}).run(t.Context(), false, nil, &out); err != nil || !strings.Contains(out.String(), "nothing to remove") {
		t.Errorf("once more: %v, said %q", err, out.String())
	}
}

func TestWhatNoPlatformWroteStays(t *testing.T) {
	path := data(t, "notes.txt", "books.db", "books.db-wal")
	var out bytes.Buffer
	if err := (Command{Data: path, Yes: true, JSON: true}).run(t.Context(), false, nil, &out); err != nil {
		t.Fatal(err)
	}
	var said folder
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(path)
	if err != nil || len(left) != 3 ||
		!slices.Equal(said.Kept, []string{"books.db", "books.db-wal", "notes.txt"}) || len(said.Removed) != 8 || said.Bytes != 36 {
		t.Errorf("left is %v (%v), said %+v", left, err, said)
	}
}

func TestItAsksFirst(t *testing.T) {
	for answer, removed := range map[string]bool{"y\n": true, "Yes\n": true, "n\n": false, "\n": false, "": false} {
		t.Run(answer, func(t *testing.T) {
			path := data(t)
			var out strings.Builder
			err := (Command{Data: path}).run(t.Context(), true, strings.NewReader(answer), &out)
			if err != nil || exists(path) == removed || !strings.HasPrefix(out.String(), "Remove "+path+" (36 bytes)? [y/N] ") {
				t.Errorf("%v, exists: %t, said %q", err, exists(path), out.String())
			}
		})
	}
}

func TestCtrlCIsNo(t *testing.T) {
	path := data(t)
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Command{Data: path}).run(ctx, true, reader, io.Discard); err != nil || !exists(path) {
		t.Errorf("%v, exists: %t", err, exists(path))
	}
}

func TestItRefuses(t *testing.T) {
	empty := t.TempDir()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "order.db"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	busy := func(lock string) string {
		path := data(t)
		held := flock.New(filepath.Join(path, filepath.FromSlash(lock)))
		if locked, err := held.TryLock(); err != nil || !locked {
			t.Fatalf("locked: %t, %v", locked, err)
		}
		t.Cleanup(func() { _ = held.Unlock() })
		return path
	}
	tests := map[string]struct {
		path string
		yes  bool
		want error
	}{
		"nobody to ask":        {data(t), false, ErrConfirm},
		"a foreign folder":     {foreign, true, ErrForeign},
		"a broker that runs":   {busy("kafka/broker.lock"), true, ErrInUse},
		"a registry that runs": {busy("registry/registry.lock"), true, ErrInUse},
		"a gateway that runs":  {busy("gateway/gateway.lock"), true, ErrInUse},
		"a mailbox that runs":  {busy("mailbox/mailbox.lock"), true, ErrInUse},
		"a service that runs":  {busy("order.db.lock"), true, ErrInUse},
		"an empty folder":      {empty, true, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before, _ := os.ReadDir(test.path)
			err := (Command{Data: test.path, Yes: test.yes}).run(t.Context(), false, nil, io.Discard)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			after, _ := os.ReadDir(test.path)
			if len(after) != len(before) {
				t.Errorf("there were %d entries, now %d", len(before), len(after))
			}
		})
	}
}

func TestALockIsGivenBackAfterARefusal(t *testing.T) {
	path := data(t)
	err := (Command{Data: path}).run(t.Context(), false, nil, io.Discard)
	lock := flock.New(filepath.Join(path, "kafka", "broker.lock"))
	locked, failed := lock.TryLock()
	if !errors.Is(err, ErrConfirm) || failed != nil || !locked {
		t.Errorf("%v; locked: %t, %v", err, locked, failed)
	}
	_ = lock.Unlock()
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 3 << 20: "3.0 MiB", 1 << 60: "1048576.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
