package parts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	stopWithin = 30 * time.Second
	// lastBytes of a log are looked at for the lastLines that an error repeats.
	lastBytes, lastLines = 4 << 10, 8
)

// watchdog is the parent of a part. It prints the part's process id, has it write to the log $1, and asks it to end
// when its own standard input ends, and kills it if it does not: so no part outlives the program that started it,
// however that ends.
const watchdog = `
log=$1; shift
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
part=$!
echo $part
{ read -r _ <&3; kill $part; trap 'kill $!; wait; exit' TERM; sleep 20 & wait $!; kill -9 $part; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $part
status=$?
kill $watcher 2>/dev/null
wait $watcher 2>/dev/null
exit $status
`

// process is a part that runs.
type process struct {
	name, log string
	pid       int
	lifeline  io.Closer
	exited    chan struct{}
}

// start starts a part whose output is appended to the file log.
func start(name, log string, env []string, command ...string) (*process, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", watchdog, "watchdog", log}, command...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of the reach of Ctrl-C
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	pid, conversion := strconv.Atoi(strings.TrimSpace(line))
	p := &process{name: name, log: log, pid: pid, lifeline: lifeline, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // the log says why
	}()
	if err := errors.Join(err, conversion); err != nil {
		_ = lifeline.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// ready calls try until it returns nil. A part that ends meanwhile is told with the end of its log.
func (p *process) ready(ctx context.Context, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-p.exited:
			timer.Stop()
			return fmt.Errorf("%s ended; its log %s ends with\n%s", p.name, p.log, p.lastWords())
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s is not ready: %w (%w); its log %s ends with\n%s", p.name, err, ctx.Err(), p.log,
				p.lastWords())
		case <-timer.C:
		}
	}
}

// stop asks the part to end and waits until it has. One that does not is killed.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	_ = p.lifeline.Close()
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("%s did not stop within %s and was killed; see %s", p.name, stopWithin, p.log)
	}
}

// kill ends the part at once, and returns once it has gone.
func (p *process) kill() {
	select {
	case <-p.exited:
		return
	default:
	}
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
	<-p.exited
	_ = p.lifeline.Close()
}

func (p *process) lastWords() string {
	file, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		_, _ = file.Seek(max(0, info.Size()-lastBytes), io.SeekStart)
	}
	text, _ := io.ReadAll(file)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}
