package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// report prints results in the order of the steps, each as soon as those before it are there.
type report struct {
	to   io.Writer
	json bool

	mu      sync.Mutex
	waiting []step // whose results were not printed yet
	there   map[string]result
	summary summary
	began   time.Time
}

func newReport(to io.Writer, asJSON bool, expected []step) *report {
	r := &report{to: to, json: asJSON, waiting: expected, there: make(map[string]result), began: time.Now()}
	if !asJSON {
		fmt.Fprintf(to, "%-20s %-8s %9s  %-32s  %s\n", "step", "result", "latency", "trace", "what was seen")
	}
	return r
}

// started notes how long the first platform took until it was ready.
func (r *report) started(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.summary.started == 0 {
		r.summary.started, r.summary.Started = took, took.Milliseconds()
	}
}

// add takes the result of a step.
func (r *report) add(got result) {
	got.Latency = got.took.Milliseconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there[got.Step] = got
	for len(r.waiting) > 0 {
		next, there := r.there[r.waiting[0].name]
		if !there {
			return
		}
		r.waiting = r.waiting[1:]
		r.count(next)
		r.print(next)
	}
}

// flaw makes a step fail whose result is there. If its row is printed already, there is one more.
func (r *report) flaw(name string, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.there[name]
	printed := !slices.ContainsFunc(r.waiting, func(w step) bool { return w.name == name })
	if printed && got.Result == ok {
		r.summary.OK--
		r.summary.Failed++
	}
	got.Result, got.Why = failed, strings.TrimSpace(got.Why+"\n"+why.Error())
	r.there[name] = got
	if printed {
		r.print(result{Step: name, Result: failed, Why: why.Error()})
	}
}

func (r *report) count(got result) {
	switch got.Result {
	case ok:
		r.summary.OK++
	case failed:
		r.summary.Failed++
	case skipped:
		r.summary.Skipped++
		if !slices.Contains(r.summary.Why, got.Why) {
			r.summary.Why = append(r.summary.Why, got.Why)
		}
	}
}

func (r *report) print(got result) {
	if r.json {
		r.encode(got)
		return
	}
	latency := ""
	if got.took > 0 {
		latency = fmt.Sprintf("%d ms", got.Latency)
	}
	said := string(got.Result)
	if got.Result == failed {
		said = strings.ToUpper(said)
	}
	note := got.Seen
	if got.Why != "" {
		note = got.Why
	}
	row := fmt.Sprintf("%-20s %-8s %9s  %-32s  %s", got.Step, said, latency, got.Trace, indented(note))
	fmt.Fprintln(r.to, strings.TrimRight(row, " "))
}

// indented puts all but the first line below the row.
func indented(note string) string { return strings.ReplaceAll(strings.TrimSpace(note), "\n", "\n    ") }

// end prints the last line.
func (r *report) end() summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.summary
	s.took = time.Since(r.began)
	s.Took = s.took.Milliseconds()
	if r.json {
		r.encode(map[string]summary{"summary": *s})
		return *s
	}
	fmt.Fprintf(r.to, "\n%d ok, %d failed, %d skipped in %.1f s", s.OK, s.Failed, s.Skipped, s.took.Seconds())
	if s.started > 0 {
		fmt.Fprintf(r.to, "; a platform was ready in %.1f s", s.started.Seconds())
	}
	fmt.Fprintln(r.to)
	for _, why := range s.Why {
		fmt.Fprintf(r.to, "skipped: %s\n", why)
	}
	return *s
}

func (r *report) encode(line any) { _ = json.NewEncoder(r.to).Encode(line) } // who reads may have left
