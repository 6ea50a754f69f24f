package mailbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// volumes is how many journals are kept. Each but the last holds as many mails as are shown, or as many bytes, so that
// the oldest can be removed whole.
const volumes = 2

// maxPutOff bounds the Message-IDs that are remembered for busy addresses.
const maxPutOff = 10_000

// entry is a mail as a journal keeps it.
type entry struct {
	ID   int64     `json:"id"`
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   []string  `json:"to"`
	Raw  []byte    `json:"raw"`
}

// book holds the newest mails in memory and, if it has a folder, in journals there.
type book struct {
	data      string
	clock     func() time.Time
	keepMails int // how many, and how many bytes of them, are kept at most
	keepBytes int

	mu      sync.Mutex
	mails   []*Mail        // the oldest first
	bytes   int            // of the mails
	last    int64          // id
	putOffs map[string]int // by Message-ID, since the start

	journal *journal.Journal // of the last volume
	volume  int              // its number, from 1
	entries int              // in it
	size    int              // of the mails in it
}

func openBook(data string, clock func() time.Time) (*book, error) {
	b := &book{
		data: data, clock: clock, keepMails: keepMails, keepBytes: keepBytes, putOffs: make(map[string]int), volume: 1,
	}
	if data != "" {
		paths, err := filepath.Glob(filepath.Join(data, "mails-*.journal"))
		if err != nil {
			return nil, err
		}
		slices.Sort(paths)
		for i, path := range paths {
			if _, err := fmt.Sscanf(filepath.Base(path), "mails-%d.journal", &b.volume); err != nil {
				return nil, fmt.Errorf("%s is no volume of mails", path)
			}
			if i == len(paths)-1 {
				break
			}
			old, err := b.open()
			if err != nil {
				return nil, err
			}
			if err := old.Close(); err != nil {
				return nil, err
			}
		}
	}
	var err error
	b.journal, err = b.open()
	return b, err
}

// open reads the present volume.
func (b *book) open() (*journal.Journal, error) {
	b.entries, b.size = 0, 0
	return journal.Open(b.path(b.volume), func(line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if e.ID <= b.last {
			return fmt.Errorf("%w: mail %d comes after %d", journal.ErrCorrupt, e.ID, b.last)
		}
		m := read(e.Raw)
		m.ID, m.ReceivedAt, m.From, m.To = e.ID, e.At, e.From, e.To
		b.keep(m)
		return nil
	})
}

func (b *book) path(volume int) string {
	if b.data == "" {
		return ""
	}
	return filepath.Join(b.data, fmt.Sprintf("mails-%08d.journal", volume))
}

// add gives the mail its id and returns once it is durable.
func (b *book) add(m *Mail) error {
	b.mu.Lock()
	if err := b.turn(); err != nil {
		b.mu.Unlock()
		return err
	}
	m.ID, m.ReceivedAt = b.last+1, b.clock().UTC().Truncate(time.Microsecond)
	line, err := json.Marshal(entry{m.ID, m.ReceivedAt, m.From, m.To, m.raw}, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		b.mu.Unlock()
		return fmt.Errorf("encode a mail: %w", err)
	}
	kept := b.journal
	position := kept.Write(line)
	b.keep(m)
	delete(b.putOffs, m.MessageID)
	b.mu.Unlock()
	return kept.Wait(position)
}

// turn begins a new volume when the present one is full, and removes the oldest. The caller holds the lock.
func (b *book) turn() error {
	if b.entries < b.keepMails && b.size < b.keepBytes || b.data == "" {
		return nil
	}
	next, err := journal.Open(b.path(b.volume+1), func([]byte) error { return journal.ErrCorrupt })
	if err != nil {
		return err
	}
	full := b.journal
	b.journal, b.volume, b.entries, b.size = next, b.volume+1, 0, 0
	if err := full.Close(); err != nil {
		return err
	}
	if err := os.Remove(b.path(b.volume - volumes)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// keep adds a mail in memory and lets the oldest go.
func (b *book) keep(m *Mail) {
	b.last = m.ID
	b.mails = append(b.mails, m)
	b.bytes += m.Size
	b.entries++
	b.size += m.Size
	n := 0
	for len(b.mails)-n > b.keepMails || b.bytes > b.keepBytes {
		b.bytes -= b.mails[n].Size
		b.mails[n] = nil
		n++
	}
	b.mails = b.mails[n:]
}

// putOff reports whether a mail to a busy address is put off once more.
func (b *book) putOff(messageID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.putOffs[messageID] == busyTimes {
		return false
	}
	if len(b.putOffs) >= maxPutOff {
		clear(b.putOffs)
	}
	b.putOffs[messageID]++
	return true
}

// find returns at most limit mails after the one with an id that are wanted, the newest last. They are durable.
func (b *book) find(after int64, limit int, wanted func(*Mail) bool) ([]*Mail, error) {
	b.mu.Lock()
	found := []*Mail{}
	first, _ := slices.BinarySearchFunc(b.mails, after+1, func(m *Mail, id int64) int { return int(m.ID - id) })
	for _, m := range b.mails[first:] {
		if len(found) == limit {
			break
		}
		if wanted(m) {
			found = append(found, m)
		}
	}
	kept, position := b.journal, b.journal.End()
	b.mu.Unlock()
	return found, kept.Wait(position)
}

// newest returns at most limit mails, the newest first.
func (b *book) newest(limit int) ([]*Mail, error) {
	b.mu.Lock()
	found := slices.Clone(b.mails[max(0, len(b.mails)-limit):])
	kept, position := b.journal, b.journal.End()
	b.mu.Unlock()
	slices.Reverse(found)
	return found, kept.Wait(position)
}

func (b *book) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.journal.Close()
}
