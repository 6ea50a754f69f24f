package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// ran is how a command ended.
type ran struct {
	stdout, stderr string
	code           int
}

// command is the built program with args, which is killed if it outlasts the test's patience.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, path, args...)
}

func run(t *testing.T, args ...string) ran {
	t.Helper()
	cmd := command(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return ran{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must run without a fault, and returns what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := run(t, args...)
	if r.code != 0 {
		t.Fatalf("quadrille %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// events are the arguments of `quadrille events` on this platform.
func (p *platform) events(args ...string) []string {
	return append([]string{"events", "--brokers", p.Kafka, "--registry", "http://" + p.Registry}, args...)
}

type shownEvent struct {
	Topic, Key, Type, ID, Error string
	Offset                      int64
	CausationID                 string `json:"causation_id"`
	CorrelationID               string `json:"correlation_id"`
	Headers                     map[string]string
	Data                        map[string]any
}

// objects are the lines of --json.
func objects[T any](t *testing.T, text string) []T {
	t.Helper()
	var found []T
	for line := range strings.Lines(text) {
		var one T
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found = append(found, one)
	}
	return found
}

func typesOf(events []shownEvent) []string {
	var names []string
	for _, e := range events {
		names = append(names, e.Type[strings.LastIndexByte(e.Type, '.')+1:])
	}
	return names
}

func TestEventsTellTheStoryOfAnOrder(t *testing.T) {
	p := up(t, "--ephemeral")
	confirmed := p.completed(t, p.place(t, "tok_visa", line{"tea-001", 2}).ID)
	declined := p.completed(t, p.place(t, "tok_declined", line{"tea-001", 1}).ID)

	t.Run("by order", func(t *testing.T) {
		events := objects[shownEvent](t, must(t, p.events("--order", confirmed.ID, "--topic",
			"order.events,inventory.events,payment.events", "--json")...))
		got, want := typesOf(events), []string{
			"OrderConfirmed", "OrderPlaced", "PaymentAuthorized", "PaymentCaptured", "StockCommitted", "StockReserved",
		}
		if len(got) > 0 && got[0] != "OrderPlaced" {
			t.Errorf("it begins with %v", got)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, e := range events {
			if e.Key != confirmed.ID || e.CorrelationID != events[0].CorrelationID || e.Error != "" || e.CausationID == "" ||
				e.Headers["ce_id"] != e.ID || e.Headers["traceparent"] == "" || e.Data["order_id"] != confirmed.ID {
				t.Errorf("%+v", e)
			}
		}
	})
	t.Run("by type, personal data masked", func(t *testing.T) {
		for flag, want := range map[string]string{"--json": "***", "--pii": "ada@example.com"} {
			events := objects[shownEvent](t, must(t, p.events("--type", "OrderPlaced", "--json", flag)...))
			if len(events) != 2 || events[0].Data["email"] != want || events[0].Data["total"] != 1798.0 {
				t.Errorf("with %s: %+v", flag, events)
			}
		}
	})
	t.Run("as text", func(t *testing.T) {
		text := must(t, p.events("--type", "OrderCancelled")...)
		for _, want := range []string{"order.events/", "OrderCancelled", declined.ID, "correlation ", `"reason":"payment_declined"`} {
			if !strings.Contains(text, want) || strings.Count(text, "\n") != 1 {
				t.Errorf("lacks %q: %s", want, text)
			}
		}
	})
	t.Run("from a place", func(t *testing.T) {
		for from, want := range map[string]int{"beginning": 2, "1h ago": 2, "end": 0, "1000": 0, "2999-01-01": 0, "2000-01-01T00:00:00Z": 2} {
			if text := must(t, p.events("--type", "OrderPlaced", "--from", from)...); strings.Count(text, "\n") != want {
				t.Errorf("from %s: %s", from, text)
			}
		}
		for _, e := range objects[shownEvent](t, must(t, p.events("--from", "1", "--json")...)) {
			if e.Offset < 1 {
				t.Errorf("from offset 1: %+v", e)
			}
		}
	})
	t.Run("a limit", func(t *testing.T) {
		if text := must(t, p.events("--limit", "3")...); strings.Count(text, "\n") != 3 {
			t.Errorf("shown is\n%s", text)
		}
	})
	t.Run("as they come", func(t *testing.T) { p.followAnOrder(t) })
	t.Run("into a pipe that closes", func(t *testing.T) {
		cmd := command(t, p.events("--follow", "--from", "beginning")...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(stdout, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		_ = stdout.Close()
		p.place(t, "tok_visa", line{"tea-001", 1}) // something to write to the closed pipe
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("%v, said %q", err, stderr.String())
		}
	})
}

// followAnOrder starts to follow before the order is placed, and ends by Ctrl-C.
func (p *platform) followAnOrder(t *testing.T) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "events"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := command(t, p.events("--follow", "--json", "--type", "OrderPlaced,OrderConfirmed")...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = file, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var events []shownEvent
	var placed []string
	eventually(t, "an order that is seen from its beginning to its confirmation", func() error {
		// It follows from a moment on that nobody knows, so orders are placed until one is seen.
		placed = append(placed, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
		text, err := os.ReadFile(file.Name())
		if err != nil {
			return err
		}
		if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
			events = objects[shownEvent](t, string(text[:end+1]))
		}
		for _, id := range placed {
			seen := slices.DeleteFunc(slices.Clone(events), func(e shownEvent) bool { return e.Key != id })
			if slices.Equal(typesOf(seen), []string{"OrderPlaced", "OrderConfirmed"}) {
				return nil
			}
		}
		return fmt.Errorf("%d events of %d orders are shown", len(events), len(placed))
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("after Ctrl-C: %v, said %q", err, stderr.String())
	}
	for _, e := range events {
		if e.Key != "" && !slices.Contains(placed, e.Key) {
			t.Errorf("an event from before: %+v", e)
		}
	}
}

type loadReport struct {
	Sent, Accepted, Refused, Completed int
	CutShort                           bool `json:"cut_short"`
	Outcomes                           map[string]int
	Latency                            map[string]struct {
		Count   int64
		P50     float64 `json:"p50_ms"`
		Max     float64 `json:"max_ms"`
		Buckets []struct{ Count int64 }
	}
}

func TestLoadtestMeasuresWholeSagas(t *testing.T) {
	p := up(t, "--ephemeral")
	against, err := json.Marshal(p.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"loadtest", "--against", string(against), "--settle", patience.String(), "--json"}

	t.Run("a mix", func(t *testing.T) {
		r := run(t, append(args, "--rate", "30", "--duration", "2s", "--mix", "tok_visa=2,tok_declined=1")...)
		if r.code != 0 || !strings.Contains(r.stderr, "  completed ") {
			t.Fatalf("exit code %d, said\n%s", r.code, r.stderr)
		}
		report := objects[loadReport](t, r.stdout)[0]
		if report.Sent != 60 || report.Accepted != 60 || report.Refused != 0 || report.Completed != 60 || report.CutShort {
			t.Errorf("%+v", report)
		}
		confirmed, declined := report.Outcomes["confirmed"], report.Outcomes["cancelled: payment_declined"]
		if confirmed+declined != 60 || confirmed < 37 || confirmed > 43 {
			t.Errorf("outcomes %v", report.Outcomes)
		}
		var before float64
		for _, name := range []string{"accepted", "decided", "completed"} {
			l := report.Latency[name]
			inBuckets := int64(0)
			for _, b := range l.Buckets {
				inBuckets += b.Count
			}
			if l.Count != 60 || inBuckets != 60 || l.P50 <= 0 || l.Max < l.P50 || l.P50 < before {
				t.Errorf("%s: %+v", name, l)
			}
			if name != "accepted" { // an event may be out before its answer
				before = l.P50
			}
		}
		levels, err := p.Levels(t.Context(), "loadtest-00")
		if err != nil || levels.Sold != 4 || levels.Available < 0 {
			t.Errorf("its own product: %+v (%v)", levels, err)
		}
	})
	t.Run("stock that runs out", func(t *testing.T) {
		if err := p.Stock(t.Context(), "scarce-001", client.Money{Amount: 100, Currency: "EUR"}, 3); err != nil {
			t.Fatal(err)
		}
		report := objects[loadReport](t, must(t, append(args, "--rate", "10", "--duration", "1s", "--sku", "scarce-001")...))[0]
		if report.Outcomes["confirmed"] != 3 || report.Outcomes["cancelled: out_of_stock"] != 7 {
			t.Errorf("outcomes %v", report.Outcomes)
		}
	})
	t.Run("refusals", func(t *testing.T) {
		r := run(t, append(args, "--rate", "10", "--duration", "1s", "--sku", "unknown-001")...)
		if r.code != 1 || !strings.Contains(r.stderr, "no order was accepted") || objects[loadReport](t, r.stdout)[0].Refused != 10 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("Ctrl-C", func(t *testing.T) {
		cmd := command(t, append(args, "--rate", "20", "--duration", "1h")...)
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		progress, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(progress, make([]byte, 10)); err != nil { // a second has passed
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, progress); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if report := objects[loadReport](t, stdout.String())[0]; report.Accepted < 10 || !report.CutShort {
			t.Errorf("%+v", report)
		}
	})
	t.Run("as text", func(t *testing.T) {
		text := must(t, slices.DeleteFunc(append(slices.Clone(args), "--rate", "10", "--duration", "500ms"), func(arg string) bool {
			return arg == "--json"
		})...)
		for _, want := range []string{"5 orders sent", "confirmed  5", "p99", "completed ", "up to "} {
			if !strings.Contains(text, want) {
				t.Errorf("lacks %q:\n%s", want, text)
			}
		}
	})
}

func TestResetRemovesWhatAPlatformLeft(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := up(t, "--data", data)
	p.completed(t, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
	if r := run(t, "reset", "--data", data, "--yes"); r.code != 1 || !strings.Contains(r.stderr, "in use") {
		t.Errorf("beside the running platform: %+v", r)
	}
	if o := p.completed(t, p.place(t, "tok_visa", line{"tea-001", 1}).ID); o.Status != "confirmed" {
		t.Errorf("after the refusal an order ended as %+v", o)
	}
	if err := p.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "reset", "--data", data); r.code != 2 || !strings.Contains(r.stderr, "--yes") {
		t.Errorf("with nobody to ask: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(data, "order.db")); err != nil {
		t.Fatalf("a refusal removed something: %v", err)
	}
	said := objects[struct{ Removed, Kept []string }](t, must(t, "reset", "--data", data, "--yes", "--json"))[0]
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) || !slices.Contains(said.Removed, "order.db") || len(said.Kept) > 0 {
		t.Errorf("%v, said %+v", err, said)
	}
	if text := must(t, "reset", "--data", data); !strings.Contains(text, "nothing to remove") {
		t.Errorf("once more: %s", text)
	}
}

// Bash runs the code that completion prints, and then what that code told it to complete with, as at the Tab key.
func TestBashCompletes(t *testing.T) {
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: no bash: %v", err)
	}
	const script = `source <("$1" completion bash --code)
spec=$(complete -p quadrille)
[[ $spec =~ -C\ ([^ ]+) ]]
COMP_LINE="$2" COMP_POINT=${#2} eval "${BASH_REMATCH[1]}"`
	for typed, want := range map[string][]string{
		"quadrille ":                           {"up", "events", "loadtest", "reset", "completion", "version"},
		"quadrille ev":                         {"events"},
		"quadrille events --fo":                {"--follow"},
		"quadrille events --type OrderC":       {"OrderCancelled", "OrderConfirmed"},
		"quadrille events --topic p":           {"payment.deadletter", "payment.events", "product.events"},
		"quadrille service ":                   {"order", "inventory", "payment"},
		"quadrille up --without i":             {"inventory"},
		"quadrille demo --step happy":          {"happy-path"},
		"quadrille loadtest --mix tok_capture": {"tok_capture_declined"},
	} {
		t.Run(typed, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", script, "bash", path, typed)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			got := strings.Fields(string(out))
			for _, word := range want {
				if !slices.Contains(got, word) {
					t.Errorf("offers %v, which lacks %s", got, word)
				}
			}
			if !strings.HasSuffix(typed, " ") && len(got) != len(want) {
				t.Errorf("offers %v, want %v", got, want)
			}
		})
	}
}

func TestExitCodesTellWhatFailed(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		says string // on either stream
	}{
		"done":                 {[]string{"version", "--json"}, 0, `"version":`},
		"help":                 {[]string{"events", "--help"}, 0, "Examples:"},
		"failed":               {[]string{"events", "--brokers", "127.0.0.1:1"}, 1, "--brokers"},
		"an unknown command":   {[]string{"evnts"}, 2, `did you mean "events"`},
		"an unknown flag":      {[]string{"events", "--folow"}, 2, `did you mean "--follow"`},
		"a value out of range": {[]string{"loadtest", "--rate", "0"}, 2, "--rate"},
		"no command":           {nil, 2, "quadrille --help"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if r := run(t, test.args...); r.code != test.code || !strings.Contains(r.stdout+r.stderr, test.says) {
				t.Errorf("after %s: %+v", time.Since(began), r)
			}
		})
	}
}
