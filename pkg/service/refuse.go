package service

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// refuseVariable names a file that says which events are refused. It is for tests and the demonstration: a handler
	// that works cannot be made to fail otherwise.
	refuseVariable = TestPrefix + "REFUSE"
	// rereadAfter is how old what was read of the file may be.
	rereadAfter = 100 * time.Millisecond
	// forGood begins a line whose events are dead at once.
	forGood = "dead:"
)

// refusal is the error of an event that a test has refused.
type refusal struct{ forGood bool }

// Error implements error.
func (r refusal) Error() string { return "refused, as " + refuseVariable + " says" }

// NotYet makes the event one that is tried again.
func (r refusal) NotYet() bool { return !r.forGood }

// refusing returns what work.Config asks about each event; nil, unless a test wants some refused.
func refusing(service string, log *slog.Logger) func(key string) error {
	file := os.Getenv(refuseVariable)
	if file == "" {
		return nil
	}
	log.Warn("a file says which events are refused; this is for tests only", "variable", refuseVariable, "file", file)
	return (&refusals{file: file, service: service}).refuse
}

// refusals are the lines of a file: the key of events that are parked, or of those that are dead if "dead:" stands
// before it. A name behind the key means that service only. Without the file nothing is refused.
type refusals struct {
	file, service string

	mu    sync.Mutex
	lines [][]string // the fields of each
	read  time.Time
}

func (r *refusals) refuse(key string) error {
	for _, line := range r.current() {
		of, dead := strings.CutPrefix(line[0], forGood)
		if of == key && (len(line) == 1 || line[1] == r.service) {
			return refusal{forGood: dead}
		}
	}
	return nil
}

func (r *refusals) current() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.read) < rereadAfter {
		return r.lines
	}
	text, _ := os.ReadFile(r.file) // as a rule it is not there
	r.lines, r.read = nil, time.Now()
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			r.lines = append(r.lines, fields)
		}
	}
	return r.lines
}
