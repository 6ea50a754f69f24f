package launch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// role is the variable that has this test's program play another one.
const role = "QUADRILLE_LAUNCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "echo": // until the end of standard input
		fmt.Println(strings.Join(os.Args[1:], " "))
		fmt.Fprintln(os.Stderr, "listening")
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			fmt.Println(scanner.Text())
		}
	case "up": // prints what `quadrille up` does, and a lot more
		fmt.Print("payment is left out. Start it elsewhere with\n\nexport QUADRILLE_HTTP_ADDR='127.0.0.1:5'\n" +
			"export QUADRILLE_DATABASE_URL='sqlite://a b'\nquadrille service payment\n\n")
		fmt.Println(`{"kafka":"127.0.0.1:1","services":{"order":"127.0.0.1:2"}}`)
		for range 10_000 {
			fmt.Println("nobody reads this")
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
		<-time.After(time.Minute)
	case "broken":
		fmt.Fprintln(os.Stderr, "no port is free")
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

func config(t *testing.T, as string, args ...string) launch.Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return launch.Config{Path: self, Args: args, Env: []string{role + "=" + as}}
}

func start(t *testing.T, cfg launch.Config) *launch.Process {
	t.Helper()
	p, err := launch.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(syscall.SIGKILL) })
	return p
}

func expect(t *testing.T, p *launch.Process, want string) {
	t.Helper()
	if line, err := p.Line(t.Context()); line != want || err != nil {
		t.Fatalf("line %q, want %q (%v)", line, want, err)
	}
}

func TestLinesAreReadOneByOne(t *testing.T) {
	p := start(t, config(t, "echo", "one", "two"))
	expect(t, p, "one two")
	fmt.Fprintln(p.Stdin, "hello")
	expect(t, p, "hello")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Line(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a line that does not come: %v", err)
	}
	if err := p.Stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Line(t.Context()); err == nil || !strings.Contains(err.Error(), "ended: with success\nlistening") {
		t.Errorf("after the end: %v", err)
	}
	if err := p.Stop(syscall.SIGTERM); err != nil {
		t.Errorf("it had ended well: %v", err)
	}
}

func TestAnEndThatIsNoSuccessIsToldWithTheLastWords(t *testing.T) {
	var also strings.Builder
	cfg := config(t, "broken")
	cfg.Stderr = &also
	p := start(t, cfg)
	<-p.Exited()
	for range 2 {
		err := p.Stop(syscall.SIGTERM)
		if err == nil || !strings.Contains(err.Error(), "exit status 3\nno port is free") {
			t.Errorf("error %v", err)
		}
	}
	if also.String() != "no port is free\n" || p.Stderr() != "no port is free" {
		t.Errorf("standard error %q, %q", also.String(), p.Stderr())
	}
}

func TestAKilledProcessWasMeantToDie(t *testing.T) {
	p := start(t, config(t, "stubborn"))
	expect(t, p, "ready")
	if p.Killed() {
		t.Error("it is said to be killed, and runs")
	}
	for _, s := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		if err := p.Stop(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if err := syscall.Kill(p.PID(), 0); err == nil {
		t.Error("it still runs")
	}
	if !p.Killed() {
		t.Error("it is not said to be killed")
	}
}

func TestUpReadsWhatIsAnnounced(t *testing.T) {
	p, err := launch.Up(t.Context(), config(t, "up"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		// It ends by its lifeline; that its further lines were not read has not held it up.
		if err := errors.Join(p.Stdin.Close(), p.Stop(0)); err != nil {
			t.Error(err)
		}
	}()
	if p.Kafka != "127.0.0.1:1" || p.Services["order"] != "127.0.0.1:2" || p.Took == 0 {
		t.Errorf("addresses %+v after %s", p.Addresses, p.Took)
	}
	want := "QUADRILLE_HTTP_ADDR=127.0.0.1:5 QUADRILLE_DATABASE_URL=sqlite://a b"
	if got := strings.Join(p.LeftOut["payment"], " "); got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestUpThatDoesNotBecomeReadyIsStopped(t *testing.T) {
	if _, err := launch.Up(t.Context(), config(t, "broken")); err == nil || !strings.Contains(err.Error(), "no port is free") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := launch.Up(ctx, config(t, "echo")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := launch.Up(t.Context(), launch.Config{Path: "/nowhere/quadrille"}); err == nil {
		t.Error("a program that is not there was started")
	}
}
