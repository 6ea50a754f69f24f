package sim

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// position remembers which seeds were played, so that a long campaign can go on where it was left.
type position struct {
	file string
	next uint64
	// Next is the first seed that has not been played, Played how many have been, Failed which ones failed.
	Next   uint64              `json:"next"`
	Played int                 `json:"played"`
	Failed map[uint64][]string `json:"failed"`

	ahead map[uint64]bool
}

// openPosition reads the file, or begins at first if there is none.
func openPosition(t *testing.T, file string, first uint64) *position {
	p := &position{file: file, Next: first, Failed: make(map[uint64][]string), ahead: make(map[uint64]bool)}
	if file != "" {
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, p)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: %v", file, err)
		}
	}
	p.next = p.Next
	return p
}

// done notes a seed.
func (p *position) done(t *testing.T, r Result) {
	if p.file == "" {
		return
	}
	p.Played++
	if len(r.Violations) > 0 {
		p.Failed[r.Seed] = first(r.Violations, 10)
	}
	p.ahead[r.Seed] = true
	for p.ahead[p.Next] {
		delete(p.ahead, p.Next)
		p.Next++
	}
	data, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file+".new", append(data, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(p.file+".new", p.file); err != nil {
		t.Fatal(err)
	}
}
