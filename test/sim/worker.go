package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// One processor a worker: it plays a seed faster than two do, and nearly alike each time.
var workerEnv = []string{"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1", workerVariable + "=1"}

const (
	workerVariable = "QUADRILLE_TEST_SIM_WORKER"
	answerMark     = "sim-answer "
	// hangs begins the violation of a seed that does not end.
	hangs = "G6: it hangs"
	// kept of what a worker says beside its answers: the end of a panic's stacks.
	kept = 64 << 10
)

// Job is a seed to be played, without the faults that have the given places in its list.
type Job struct {
	Seed    uint64 `json:"seed"`
	Without []int  `json:"without"`
}

// Worker is a process of its own that plays seeds: one that dies or hangs takes no other along.
type Worker struct {
	args    []string
	within  time.Duration
	command *exec.Cmd
	in      io.WriteCloser
	answers chan string
	said    *tail
}

// NewWorker returns a Worker that is this program again, with args. A seed may take the given time.
func NewWorker(args []string, within time.Duration) *Worker {
	return &Worker{args: args, within: within}
}

// Play plays a seed. A worker that dies of it has violated G8, one that hangs G6; the next one starts anew.
func (w *Worker) Play(j Job) (Result, error) {
	if w.command == nil {
		if err := w.start(); err != nil {
			return Result{}, err
		}
	}
	line, err := json.Marshal(j)
	if err != nil {
		return Result{}, err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return Result{}, err
	}
	lost := Result{Seed: j.Seed, Hits: map[string]int{}}
	timer := time.NewTimer(w.within)
	defer timer.Stop()
	select {
	case answer, ok := <-w.answers:
		if ok {
			var r Result
			return r, json.Unmarshal([]byte(answer), &r)
		}
		lost.Violations = []string{"G8: the process died:\n" + w.said.String()}
	case <-timer.C:
		_ = w.command.Process.Signal(syscall.SIGQUIT)
		for range w.answers { // until it is gone
		}
		lost.Violations = []string{fmt.Sprintf("%s, not even virtual time goes on, for %v:\n%s", hangs, w.within,
			w.said.String())}
	}
	_ = w.command.Wait()
	w.command = nil
	return lost, nil
}

// Close lets the process end and waits for it.
func (w *Worker) Close() error {
	if w.command == nil {
		return nil
	}
	err := w.in.Close()
	for range w.answers {
	}
	return errors.Join(err, w.command.Wait())
}

func (w *Worker) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.command = exec.Command(self, w.args...)
	w.command.Env = append(os.Environ(), workerEnv...)
	w.said = &tail{}
	w.command.Stderr = w.said
	if w.in, err = w.command.StdinPipe(); err != nil {
		return err
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		return err
	}
	w.answers = make(chan string)
	if err := w.command.Start(); err != nil {
		return err
	}
	go func() {
		defer close(w.answers)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if answer, ok := strings.CutPrefix(line, answerMark); ok {
				w.answers <- answer
			} else {
				_, _ = io.WriteString(w.said, line)
			}
			if err != nil {
				return
			}
		}
	}()
	return nil
}

// Serve answers the jobs that come in, by play, until there are no more. It is the inside of a Worker.
func Serve(in io.Reader, out io.Writer, play func(Job) (Result, error)) error {
	jobs := bufio.NewScanner(in)
	for jobs.Scan() {
		var j Job
		if err := json.Unmarshal(jobs.Bytes(), &j); err != nil {
			return err
		}
		r, err := play(j)
		if err != nil {
			return err
		}
		answer, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s%s\n", answerMark, answer); err != nil {
			return err
		}
	}
	return jobs.Err()
}

// tail keeps the beginning and the end of what is written.
type tail struct {
	mu          sync.Mutex
	first, last bytes.Buffer
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if room := kept - t.first.Len(); room > 0 {
		took := min(room, len(p))
		t.first.Write(p[:took])
		p = p[took:]
	}
	t.last.Write(p)
	if over := t.last.Len() - kept; over > 0 {
		t.last.Next(over)
	}
	return n, nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first.String() + t.last.String()
}
