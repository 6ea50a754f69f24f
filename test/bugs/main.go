// Command bugs tries the bug bank: patches that each break one guarantee on purpose, the way real projects break it.
// Each must be caught by the test that its head names. A bug that escapes means that a guarantee is not tested.
//
// To add one, break the tree by hand, then
//
//	git diff -U1 >test/bugs/NAME.patch && git checkout -p
//
// write the head above the diff as the others have it, and try it with `go run ./test/bugs -only NAME`. A patch that no
// longer applies is made anew the same way: it is the bug that has to live on, not its text.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// dependent imports nearly all of pkg: outside calls, the parking lot and the relay included.
const dependent = "./services/notification"

// line of the table: bug, guarantee, seconds, test.
const line = "%-42s  %-6s  %7s  %s\n"

func main() {
	only := flag.String("only", "", "try the bugs whose names match this pattern")
	list := flag.Bool("list", false, "name the bugs and what they break, and try none")
	atOnce := flag.Int("j", 2, "how many are tried at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only, *list, *atOnce, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bugs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, list bool, atOnce int, to io.Writer) error {
	bugs, err := readAll(filepath.Join("test", "bugs"))
	if err != nil {
		return err
	}
	if bugs, err = choose(bugs, only); err != nil {
		return err
	}
	if list {
		for _, b := range bugs {
			fmt.Fprintf(to, "%s breaks %s: %s\n", b.name, b.breaks, b.mistake)
		}
		return nil
	}

	work, err := os.MkdirTemp("", "quadrille-bugs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// One server for all: each test that needs PostgreSQL makes a database of its own.
	server, err := pgserver.Start(ctx, pgserver.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }() // it ends with this process in any case
	b := &bank{
		root: ".", work: work, dependents: []string{dependent}, healthy: make(map[string]func() (string, error)),
		env: []string{"CI=true", sqltest.ServerVariable + "=" + server.URL("postgres")},
	}
	return b.tryAll(ctx, bugs, atOnce, to)
}

func choose(bugs []bug, only string) (chosen []bug, err error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	for _, b := range bugs {
		if pattern.MatchString(b.name) {
			chosen = append(chosen, b)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no bug's name matches %q", only)
	}
	return chosen, nil
}

// tryAll tries bugs and prints a line for each as it ends, in order. The error says how many were not caught.
func (b *bank) tryAll(ctx context.Context, bugs []bug, atOnce int, to io.Writer) error {
	type result struct {
		err  error
		took time.Duration
	}
	results := make([]chan result, len(bugs))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	began, missed := time.Now(), 0
	var trying sync.WaitGroup
	defer trying.Wait()
	trying.Go(func() {
		var all errgroup.Group
		all.SetLimit(max(atOnce, 1))
		for i, bug := range bugs {
			all.Go(func() error {
				began := time.Now()
				err := b.catch(ctx, bug)
				results[i] <- result{err, time.Since(began)}
				return nil
			})
		}
		_ = all.Wait() // whose errors are in the results
	})

	fmt.Fprintf(to, line, "bug", "breaks", "seconds", "caught by")
	var faults []string
	for i, bug := range bugs {
		r := <-results[i]
		by := bug.pkg + " " + bug.run
		if r.err != nil {
			missed++
			by = "NOT CAUGHT"
			faults = append(faults, fmt.Sprintf("%s: %v", bug.name, r.err))
		}
		fmt.Fprintf(to, line, bug.name, bug.breaks, fmt.Sprintf("%.1f", r.took.Seconds()), by)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d bugs were not caught\n\n%s", missed, len(bugs), strings.Join(faults, "\n\n"))
	}
	fmt.Fprintf(to, "%d bugs, all caught, in %s\n", len(bugs), time.Since(began).Round(time.Second))
	return nil
}
