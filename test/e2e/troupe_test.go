package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

// fragile builds the program with failpoints, once.
var fragile = sync.OnceValues(func() (string, error) {
	path, err := built.Path()
	if err != nil {
		return "", err
	}
	path = filepath.Join(filepath.Dir(path), "quadrille-failpoint")
	return path, binary.Build(path, binary.Quadrille, "-tags", "failpoint")
})

// makeWayEvery is longer than it takes the group to note that a killed member is gone.
const makeWayEvery = 5 * time.Second

// troupe is a platform whose services are processes of the test's own, so that it decides who dies where.
type troupe struct {
	*platform
	program   string
	poison    *poisoner
	data      string
	databases map[string]string // those on PostgreSQL
	names     []string
	// tame audiences are let in alone.
	tame bool
	// variables of each process, by place.
	variables map[place][]string

	mu        sync.Mutex
	processes map[place]*launch.Process
}

// place is where a process belongs: the service, and which replica it is.
type place struct {
	service string
	replica int
}

func (p place) String() string { return fmt.Sprintf("%s-%d", p.service, p.replica) }

// assemble starts the world around the services and none of these. With PostgreSQL each will have two replicas.
func assemble(t *testing.T, postgres bool) *troupe {
	t.Helper()
	return assembleOn(t, given(), postgres)
}

func assembleOn(t *testing.T, on *servers, postgres bool) *troupe {
	t.Helper()
	program, err := fragile()
	if err != nil {
		t.Fatal(err)
	}
	x := &troupe{
		program: program, data: t.TempDir(), databases: make(map[string]string), variables: make(map[place][]string),
		names: serviceNames, processes: make(map[place]*launch.Process),
	}
	args := []string{"--data", x.data, "--without", strings.Join(x.names, ",")}
	if postgres {
		for _, name := range x.names {
			x.databases[name] = on.database(t)
			args = append(args, "--database="+name+"="+x.databases[name])
		}
	}
	for _, set := range []string{
		"QUADRILLE_ORDER_TIMEOUT=5s", "QUADRILLE_REPUBLISH_AFTER=1s", "QUADRILLE_GATEWAY_TIMEOUT=500ms",
		"QUADRILLE_SMTP_TIMEOUT=500ms", "QUADRILLE_STALL=15s",
	} {
		args = append(args, "--set", set)
	}
	x.platform = upOn(t, on, args...)
	if x.poison, err = newPoisoner(on.brokers(x.platform)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.poison.kafka.Close)
	for _, name := range x.names {
		variables := x.LeftOut[name]
		x.variables[place{name, 0}] = variables
		if postgres {
			addrs, err := launch.FreeAddresses(2)
			if err != nil {
				t.Fatal(err)
			}
			x.variables[place{name, 1}] = append(slices.Clone(variables),
				"QUADRILLE_HTTP_ADDR="+addrs[0], "QUADRILLE_ADMIN_ADDR="+addrs[1])
		}
	}
	t.Cleanup(func() { // before the world that they need
		for at, process := range x.processes {
			if err := process.Stop(syscall.SIGTERM); err != nil {
				t.Errorf("%s: %v", at, err)
			}
			if t.Failed() { // kept by go test -artifacts
				_ = os.WriteFile(filepath.Join(t.ArtifactDir(), at.String()+".log"), []byte(process.Stderr()), 0o644)
			}
		}
	})
	return x
}

// replicas are how many processes each service has.
func (x *troupe) replicas() int { return len(x.variables) / len(x.names) }

// places are those of all processes.
func (x *troupe) places() []place {
	var places []place
	for at := range x.variables {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	return places
}

// enter starts the process of a place, which dies at the points if there are any.
func (x *troupe) enter(at place, points string) error {
	variables := x.variables[at]
	if points != "" {
		variables = append(slices.Clone(variables), "QUADRILLE_TEST_FAILPOINT="+points)
	}
	process, err := launch.Start(launch.Config{
		Path: x.program, Args: []string{"service", at.service, "--lifeline"}, Env: variables,
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.processes[at] = process
	return nil
}

// leave ends the process of a place, if there is one.
func (x *troupe) leave(at place, signal syscall.Signal) error {
	process := x.process(at)
	if process == nil {
		return nil
	}
	if err := process.Stop(signal); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func (x *troupe) process(at place) *launch.Process {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.processes[at]
}

// addr is where the API or, with ADMIN_ADDR, the admin listener of a process is.
func (x *troupe) addr(at place, variable string) (addr string) {
	for _, v := range x.variables[at] {
		if value, ok := strings.CutPrefix(v, "QUADRILLE_"+variable+"="); ok {
			addr = value
		}
	}
	return addr
}

// awaitReady waits until a process is, or has ended.
func (x *troupe) awaitReady(ctx context.Context, at place) error {
	process := x.process(at)
	return client.Until(ctx, at.String()+" to be ready", func() error {
		select {
		case <-process.Exited():
			return nil
		default:
		}
		_, err := x.Call(ctx, http.MethodGet, "http://"+x.addr(at, "ADMIN_ADDR")+"/readyz", nil, nil)
		return err
	})
}

// diesAt replaces the process of a place by one that dies at a point, waits until it has, and checks that it was there.
func (x *troupe) diesAt(ctx context.Context, at place, point failpoint.Point, hits int) error {
	if err := x.leave(at, syscall.SIGKILL); err != nil {
		return err
	}
	if err := x.enter(at, fmt.Sprintf("%s=%d", point, hits)); err != nil {
		return err
	}
	if err := x.makeWay(ctx, at, point); err != nil {
		return err
	}
	process := x.process(at)
	select {
	case <-process.Exited():
	case <-ctx.Done():
		return fmt.Errorf("%s was not killed at %s: %w", at, point, ctx.Err())
	}
	if !process.Killed() || !strings.Contains(process.Stderr(), "failpoint: killed at "+string(point)) {
		return fmt.Errorf("%s ended elsewhere than at %s: %s", at, point, tail(process.Stderr()))
	}
	return nil
}

// makeWay makes the other replica leave and come back until the one that is to die has died: so the relay's lock, or a
// rebalance, comes to it, or the partitions with what cannot be handled, which may all have been the other's.
func (x *troupe) makeWay(ctx context.Context, at place, point failpoint.Point) error {
	other := place{at.service, 1 - at.replica}
	if x.variables[other] == nil || !slices.Contains([]failpoint.Point{
		failpoint.RelayHandedOver, failpoint.RelayProduced, failpoint.ConsumerYielding,
		failpoint.LetterWritten, failpoint.LetterMoving, failpoint.LetterMoved,
	}, point) {
		return nil
	}
	err := x.awaitReady(ctx, at)
	for err == nil {
		err = errors.Join(x.leave(other, syscall.SIGTERM), x.enter(other, ""), x.awaitReady(ctx, other))
		timer := time.NewTimer(makeWayEvery)
		select {
		case <-x.process(at).Exited():
			timer.Stop()
			return err
		case <-ctx.Done():
			timer.Stop()
			return nil // diesAt says so
		case <-timer.C:
		}
	}
	return err
}

// complete starts whoever is missing, without failpoints, and waits until all are ready.
func (x *troupe) complete(ctx context.Context) error {
	for _, at := range x.places() {
		process := x.process(at)
		if process != nil {
			select {
			case <-process.Exited():
			default:
				continue
			}
		}
		if err := x.enter(at, ""); err != nil {
			return err
		}
	}
	for _, at := range x.places() {
		if err := x.awaitReady(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

func tail(text string) string {
	const most = 2000
	return text[max(0, len(text)-most):]
}

// No name of a failpoint is in the program that is released, and each is in the one that is built with them.
func TestTheReleasedProgramHasNoFailpoints(t *testing.T) {
	released, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	built, err := fragile()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{released: false, built: true} {
		program, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append([]string{"QUADRILLE_TEST_FAILPOINT"}, failpoints(t)...) {
			if has := strings.Contains(string(program), name); has != want {
				t.Errorf("%s: the name %q is in it: %t, want %t", filepath.Base(path), name, has, want)
			}
		}
	}
}
