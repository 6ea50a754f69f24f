package sim

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds   = flag.Int("seeds", 0, "how many seeds are played; 0: a few")
	from    = flag.Uint64("from", 1, "the first of them")
	seed    = flag.Uint64("seed", 0, "replay this one and print its history")
	without = flag.String("without", "", "places of faults that are left out of the replay: 1,4,5")
	workers = flag.Int("workers", 2, "how many seeds are played at a time")
	long    = flag.String("long", "", "a file that remembers the seeds that were played: go on from there")
	enough  = flag.Int("enough", 200, "from how many seeds on everything must have happened that happens sometimes")
	repeat  = flag.Int("repeat", 1, "how often the replay is played")
)

// seedWithin is how long a seed may take. The race detector and a loaded machine need many times the usual second.
const seedWithin = 4 * time.Minute

// TestSeeds plays seeds: a world each, with customers and faults drawn from the seed; afterwards every guarantee holds.
func TestSeeds(t *testing.T) {
	switch {
	case os.Getenv(workerVariable) != "":
		beWorker(t)
	case *seed > 0:
		replay(t)
	default:
		campaign(t)
	}
}

func beWorker(t *testing.T) {
	signal.Ignore(os.Interrupt) // which a terminal sends to all; the one who gave the jobs sees to it
	play := player(t)
	err := Serve(os.Stdin, os.Stdout, func(j Job) (Result, error) {
		return play(NewPlan(j.Seed).Without(j.Without), nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func replay(t *testing.T) {
	play := player(t)
	var leave []int
	for text := range strings.SplitSeq(*without, ",") {
		if n, err := strconv.Atoi(text); err == nil {
			leave = append(leave, n)
		}
	}
	for range *repeat {
		out := os.Stdout
		if *repeat > 1 {
			out = nil
		}
		plan := NewPlan(*seed).Without(leave)
		for i, f := range plan.Faults {
			fmt.Printf("%3d %v\n", i, f)
		}
		r, err := play(plan, out)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Violations {
			t.Errorf("seed %d: %s", *seed, v)
		}
	}
}

func campaign(t *testing.T) {
	n := *seeds
	if n == 0 {
		n = 20
		if testing.Short() {
			n = 3
		}
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	position := openPosition(t, *long, *from)
	profiles := t.TempDir()
	began, done := time.Now(), 0
	c := &Campaign{Out: os.Stdout, Done: func(r Result) {
		done++
		position.done(t, r)
		if done%100 == 0 {
			fmt.Println(pace(done, time.Since(began)))
		}
	}}
	for i := range *workers {
		args := []string{"-test.run=^TestSeeds$"}
		if testing.CoverMode() != "" {
			args = append(args, "-test.coverprofile="+filepath.Join(profiles, strconv.Itoa(i)))
		}
		c.Workers = append(c.Workers, NewWorker(args, seedWithin))
	}
	next := make(chan uint64)
	go func() {
		defer close(next)
		for s := position.next; s < position.next+uint64(n); s++ {
			select {
			case next <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	failed, err := c.Play(ctx, next)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Workers {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	fmt.Println(pace(done, time.Since(began)))
	for _, r := range failed {
		what, _, _ := strings.Cut(r.Violations[0], "\n") // behind it may be stacks, which are told already
		t.Errorf("seed %d: %s", r.Seed, what)
	}
	if ctx.Err() != nil {
		return
	}
	fmt.Print(table(c.Hits()))
	if done >= *enough {
		for _, name := range never(c.Hits()) {
			t.Errorf("never in %d seeds: %s", done, name)
		}
		if testing.CoverMode() != "" {
			checkCoverage(t, profiles, done)
		}
	}
}

// player returns what plays a plan, each time in a bubble of its own.
func player(t *testing.T) func(Plan, *os.File) (Result, error) {
	dir, err := os.MkdirTemp(scratch(), "quadrille-sim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := Templates(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	return func(p Plan, out *os.File) (r Result, err error) {
		synctest.Test(t, func(t *testing.T) {
			if out == nil {
				r, err = Run(t.Context(), dir, dir, p, nil)
				return
			}
			r, err = Run(t.Context(), dir, dir, p, out)
		})
		return r, err
	}
}

// scratch is a folder in memory where there is one: each commit is written through to the disk.
func scratch() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}
