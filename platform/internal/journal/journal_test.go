package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplayGivesEveryAcknowledgedEntryInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	want := []string{"one", "", `{"three":3}`}
	writeAll(t, path, want)

	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("replayed entries (-want +got):\n%s", diff)
	}
}

func TestWhatACrashCutShortIsRemoved(t *testing.T) {
	whole := []string{"first", "second", "third, the longest"}
	path := filepath.Join(t.TempDir(), "journal")
	writeAll(t, path, whole)
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	// Every length to which a kill may have cut the last line, none of it to all but its end.
	last := len(bytes) - (headLength + len(whole[2]) + 1)
	for length := last; length < len(bytes); length++ {
		t.Run(fmt.Sprintf("after %d bytes", length-last), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			if err := os.WriteFile(path, bytes[:length], 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole[:2], read(t, path)); diff != "" {
				t.Errorf("replayed entries (-want +got):\n%s", diff)
			}
			if left, err := os.ReadFile(path); err != nil || len(left) != last {
				t.Errorf("%d bytes are left, want %d; %v", len(left), last, err)
			}
			writeAll(t, path, []string{"fourth"})
			if diff := cmp.Diff([]string{"first", "second", "fourth"}, read(t, path)); diff != "" {
				t.Errorf("entries after writing on (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDamageInTheMiddleIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	writeAll(t, path, []string{"first", "second"})
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	for at := range bytes {
		damaged := slices.Clone(bytes)
		damaged[at] ^= 0x01
		if bytes[at] == '\n' && at == len(bytes)-1 {
			continue // a lost end is a cut, not damage
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path, func([]byte) error { return nil })
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d flipped: error %v, want ErrCorrupt", at, err)
		}
		if j != nil {
			t.Fatalf("byte %d flipped: got a journal beside the error", at)
		}
	}
}

func TestAFailedReplayIsReportedWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	writeAll(t, path, []string{"first", "second"})
	refused := errors.New("refused")

	_, err := Open(path, func(entry []byte) error {
		if string(entry) == "second" {
			return refused
		}
		return nil
	})
	if !errors.Is(err, refused) {
		t.Errorf("error %v, want the one of replay", err)
	}
}

func TestAFailedDiskAcknowledgesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := Open(path, func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := j.file.Close(); err != nil { // the next write fails as on a disk that has gone
		t.Fatal(err)
	}

	for range 2 {
		if err := j.Wait(j.Write([]byte("lost"))); !errors.Is(err, ErrFailed) {
			t.Errorf("error %v, want ErrFailed", err)
		}
	}
}

func TestConcurrentWritersKeepTheOrderOfTheirPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := Open(path, func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 16, 20
	want := make([]string, writers*each)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for n := range each {
				entry := fmt.Sprintf("%d/%d", writer, n)
				position := j.Write([]byte(entry))
				want[position-1] = entry
				if err := j.Wait(position); err != nil {
					t.Errorf("wait: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func BenchmarkWriteAndWait(b *testing.B) {
	j, err := Open(filepath.Join(b.TempDir(), "journal"), func([]byte) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	entry := make([]byte, 400)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := j.Wait(j.Write(entry)); err != nil {
				b.Error(err)
			}
		}
	})
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

func writeAll(t *testing.T, path string, entries []string) {
	t.Helper()
	j, err := Open(path, func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := j.Wait(j.Write([]byte(entry))); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []string {
	t.Helper()
	var entries []string
	j, err := Open(path, func(entry []byte) error {
		entries = append(entries, string(entry))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return entries
}
