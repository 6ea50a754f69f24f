// Package journal keeps an append-only file of lines, each durable before anybody is told of it.
//
// Callers write while they hold whatever lock orders their changes, release it, and then wait. Everything written while
// one fsync runs is made durable by the next, so that concurrent callers share it (group commit).
package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

var (
	// ErrCorrupt is returned by Open for a file whose middle cannot be read: it was damaged after it had been written.
	ErrCorrupt = errors.New("journal is corrupt")
	// ErrFailed is returned by Wait once a write or an fsync has failed: what memory holds may not be on the disk, so
	// nothing more is accepted until the journal has been opened again.
	ErrFailed = errors.New("journal can no longer be written")
)

const (
	sumDigits  = 8 // CRC-32C of the entry, in hexadecimal, before a space
	headLength = sumDigits + 1
)

// Position is a point in the journal: how many entries come before it.
type Position int64

// Journal is an append-only file of entries. Its methods may be called concurrently.
type Journal struct {
	file *os.File // nil: kept in memory only, so that nothing is ever waited for

	mu      sync.Mutex
	flushed sync.Cond
	pending bytes.Buffer
	spare   bytes.Buffer // the buffer being written, swapped with pending
	written Position     // entries handed to Write
	durable Position     // entries known to be on the disk
	busy    bool         // one caller writes to the file on behalf of all
	failure error
}

// Open opens the journal at path, creating it if there is none, and hands each entry it holds to replay, in the order
// of their writing. An empty path keeps nothing. An entry whose writing was cut short by the end of the process was
// never acknowledged to anybody: it is removed. Any other damage is ErrCorrupt. The caller must own the file alone.
func Open(path string, replay func(entry []byte) error) (*Journal, error) {
	j := &Journal{}
	j.flushed.L = &j.mu
	if path == "" {
		return j, nil
	}

	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := j.recover(file, replay); err != nil {
		return nil, errors.Join(fmt.Errorf("read journal %s: %w", path, err), file.Close())
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), file.Close())
	}
	j.file = file
	return j, nil
}

// Write appends an entry, which must hold no line break. It returns the position that Wait must reach before anybody is
// told of the entry. It does not block on the disk.
func (j *Journal) Write(entry []byte) Position {
	j.mu.Lock()
	defer j.mu.Unlock()

	j.written++
	if j.file == nil {
		j.durable = j.written
		return j.written
	}
	fmt.Fprintf(&j.pending, "%0*x ", sumDigits, checksum(entry))
	j.pending.Write(entry)
	j.pending.WriteByte('\n')
	return j.written
}

// End returns the position after the last entry written. Whoever answers from a state that the caller's lock protects
// must wait for it, for that state may hold what is not durable yet.
func (j *Journal) End() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.written
}

// Wait returns nil once every entry before the position is durable.
func (j *Journal) Wait(position Position) error {
	j.mu.Lock()
	defer j.mu.Unlock()

	for j.durable < position {
		switch {
		case j.failure != nil:
			return j.failure
		case j.busy:
			j.flushed.Wait()
		default:
			j.flush()
		}
	}
	return nil
}

// Close makes durable what has been written and closes the file. Nothing may be written afterwards.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	err := j.Wait(j.End())
	return errors.Join(err, j.file.Close())
}

// flush writes what is pending with the lock released, so that others go on writing. It is called, and returns, with
// the lock held.
func (j *Journal) flush() {
	j.busy = true
	j.pending, j.spare = j.spare, j.pending
	target := j.written
	j.mu.Unlock()

	_, err := j.file.Write(j.spare.Bytes())
	if err == nil {
		err = j.file.Sync()
	}

	j.mu.Lock()
	j.spare.Reset()
	j.busy = false
	if err != nil {
		j.failure = fmt.Errorf("%w: %w", ErrFailed, err)
	} else {
		j.durable = target
	}
	j.flushed.Broadcast()
}

// recover replays the file and leaves it ending after its last whole entry.
func (j *Journal) recover(file *os.File, replay func([]byte) error) error {
	var whole int64 // bytes of whole entries read
	reader := bufio.NewReaderSize(file, 64<<10)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // what remains in line, if anything, lacks its end
		}
		if err != nil {
			return err
		}
		entry, err := parse(line[:len(line)-1])
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := replay(entry); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		whole += int64(len(line))
	}

	if err := file.Truncate(whole); err != nil {
		return err
	}
	if _, err := file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	return file.Sync()
}

func parse(line []byte) ([]byte, error) {
	if len(line) < headLength || line[sumDigits] != ' ' {
		return nil, fmt.Errorf("%w: it has no checksum", ErrCorrupt)
	}
	sum, err := strconv.ParseUint(string(line[:sumDigits]), 16, 32)
	if err != nil || uint32(sum) != checksum(line[headLength:]) {
		return nil, fmt.Errorf("%w: its checksum does not match", ErrCorrupt)
	}
	return line[headLength:], nil
}

func checksum(entry []byte) uint32 { return crc32.Checksum(entry, crc32.MakeTable(crc32.Castagnoli)) }
