package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// demo runs `quadrille demo` and returns what it prints, with what it says on standard error if it fails.
func demo(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"demo"}, args...)...)
	cmd.Env = append(os.Environ(), "CI=true") // nothing may be skipped for want of a server
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err = cmd.Run(); err != nil {
		err = errors.Join(err, errors.New(said.String()))
	}
	return out.String(), err
}

// shown is a line of `quadrille demo --json`.
type shown struct {
	Step, Result, Why, Seen string
	Latency                 int64  `json:"latency_ms"`
	Trace                   string `json:"trace_id"`
	Summary                 *struct {
		OK, Failed, Skipped int
		Started             int64 `json:"platform_start_ms"`
		Took                int64 `json:"took_ms"`
	}
}

func shownBy(t *testing.T, stdout string) (steps []shown, summary shown) {
	t.Helper()
	scanner := bufio.NewScanner(strings.NewReader(stdout))
	for scanner.Scan() {
		var line shown
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", scanner.Text(), err)
		}
		if line.Summary != nil {
			summary = line
			continue
		}
		if summary.Summary != nil {
			t.Errorf("a step comes after the summary: %+v", line)
		}
		steps = append(steps, line)
	}
	if summary.Summary == nil {
		t.Fatalf("no summary in %s", stdout)
	}
	return steps, summary
}

// Every capability holds, nothing is skipped, and it is told in time.
func TestTheDemonstrationHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the processes are the same as without, and were looked at there")
	}
	began := time.Now()
	stdout, err := demo(t, "--json")
	if err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	listed, err := demo(t, "--list")
	if err != nil {
		t.Fatal(err)
	}
	steps, end := shownBy(t, stdout)
	names := strings.Split(strings.TrimSpace(listed), "\n")
	if len(steps) != len(names) || end.Summary.OK != len(names) || end.Summary.Failed+end.Summary.Skipped != 0 {
		t.Errorf("%d steps of %d, summary %+v", len(steps), len(names), *end.Summary)
	}
	traces := make(map[string]bool)
	for i, s := range steps {
		if s.Step != strings.Fields(names[i])[0] || s.Result != "ok" || s.Seen == "" || s.Latency == 0 {
			t.Errorf("step %d, %s: %+v", i+1, names[i], s)
		}
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(s.Trace) || traces[s.Trace] {
			t.Errorf("%s has the trace %q", s.Step, s.Trace)
		}
		traces[s.Trace] = true
	}
	t.Logf("%d steps in %s, a platform was ready after %d ms", len(steps), time.Since(began), end.Summary.Started)
}

func TestAStepOfTheDemonstrationCanBeChosen(t *testing.T) {
	stdout, err := demo(t, "--step", "happy-path", "--step", "out-of-stock")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"happy-path ", "out-of-stock ", "2 ok, 0 failed, 0 skipped"} {
		if strings.Count(stdout, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, stdout)
		}
	}
	_, err = demo(t, "--step", "sad-path")
	if err == nil || !strings.Contains(err.Error(), `no step is called "sad-path"; there are happy-path, out-of-stock`) {
		t.Errorf("an unknown step: %v", err)
	}
}

func TestTheDemonstrationRunsAgainstAnotherPlatform(t *testing.T) {
	p := up(t, "--ephemeral")
	addresses, err := json.Marshal(p.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "addresses.json")
	if err := os.WriteFile(file, addresses, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{file, string(addresses)} {
		stdout, err := demo(t, "--json", "--against", given)
		if err != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		steps, end := shownBy(t, stdout)
		skipped := make(map[string]bool)
		for _, s := range steps {
			if s.Result != "skipped" {
				continue
			}
			skipped[s.Step] = true
			if !strings.Contains(s.Why, "on a platform that runs already") {
				t.Errorf("%s is skipped because of %q", s.Step, s.Why)
			}
		}
		for _, want := range []string{"timeout", "parked-key", "broker-away", "kill-order", "restart", "two-replicas"} {
			if !skipped[want] {
				t.Errorf("%s was not skipped", want)
			}
		}
		if end.Summary.OK < 10 || end.Summary.OK+end.Summary.Skipped != len(steps) || len(skipped) != end.Summary.Skipped {
			t.Errorf("summary %+v of %d steps, skipped %v", *end.Summary, len(steps), skipped)
		}
	}
	if children := p.children(t); len(children) != len(p.Services) {
		t.Errorf("services %v, %d are wanted: it touched the processes", children, len(p.Services))
	}
}

// What does not hold is told by the exit status, not only by a row: here the gateway's record cannot be read.
func TestAFailedStepFailsTheDemonstration(t *testing.T) {
	p := up(t, "--ephemeral")
	addresses := p.Addresses
	addresses.Gateway = freeAddr(t) // where nobody answers
	given, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := demo(t, "--step", "happy-path", "--against", string(given))
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(err.Error(), "1 of 1 steps failed") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(stdout, "FAILED") || !strings.Contains(stdout, "0 ok, 1 failed") {
		t.Errorf("it said\n%s", stdout)
	}
}
