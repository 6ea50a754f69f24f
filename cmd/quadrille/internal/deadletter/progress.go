package deadletter

import (
	"fmt"
	"io"
	"time"
)

// progress tells every second how far a sweep has come.
type progress struct {
	to     io.Writer // nil: nobody wants to know
	what   string
	total  int64
	moved  int64
	told   time.Time
	always bool // on a terminal: over the last line
	wrote  bool
}

func newProgress(with talk, quiet bool, action string, total int64) *progress {
	p := &progress{what: past(action), total: total, told: time.Now(), always: with.inPlace}
	if !quiet {
		p.to = with.notes
	}
	return p
}

func (p *progress) add(moved int64) {
	p.moved += moved
	if p.to == nil || !p.always && time.Since(p.told) < time.Second {
		return
	}
	p.told, p.wrote = time.Now(), true
	if p.always {
		fmt.Fprintf(p.to, "\r\x1b[K%d of %d %s", p.moved, p.total, p.what)
		return
	}
	fmt.Fprintf(p.to, "%d of %d %s\n", p.moved, p.total, p.what)
}

// end leaves the last line as it is.
func (p *progress) end() {
	if p.wrote && p.always {
		fmt.Fprintln(p.to)
	}
}
