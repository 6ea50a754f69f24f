package loadtest

import (
	"fmt"
	"io"
	"time"

	"github.com/quadrille-platform/quadrille/platform/load"
)

// behind is how late orders may go out before it is said that the platform does not keep up.
const behind = 100 * time.Millisecond

// progress tells every second how far the load is.
type progress struct {
	to          io.Writer
	begin, stop string // of a line
	told        time.Duration
}

// inPlace writes over its last line, which only a terminal can show.
func inPlace(to io.Writer) *progress { return &progress{to: to, begin: "\r\x1b[K"} }

func plainly(to io.Writer) *progress { return &progress{to: to, stop: "\n"} }

func (p *progress) tell(after time.Duration, c load.Counts, t *tally) {
	if after-p.told < time.Second {
		return
	}
	p.told = after.Truncate(time.Second)
	late := ""
	if c.Late > behind && c.Waiting > 0 {
		late = fmt.Sprintf("  the platform does not keep up: orders go out %s late", c.Late.Round(behind))
	}
	completed := int(t.completedAfter.TotalCount())
	fmt.Fprintf(p.to, "%s%4.0fs  sent %d  accepted %d  refused %d  decided %d  completed %d  "+
		"waiting for an answer %d%s%s", p.begin, after.Seconds(), c.Sent, c.Accepted, c.Refused,
		completed+t.decided, completed, c.Waiting, late, p.stop)
}

// end leaves the last line as it is.
func (p *progress) end() {
	if p.stop == "" && p.told > 0 {
		fmt.Fprintln(p.to)
	}
}
