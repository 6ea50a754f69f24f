// Command real starts the servers that the platform runs on in production, without containers, and stops them. It is
// behind `make real-up`, `make real-down` and `make test-real`, and runs at the root of the tree.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

const usage = `Usage: real [flags] up | down | run COMMAND…

  up      starts the parts in the background; those that the environment names are used as they are
  down    stops them
  run     runs a command with the parts in its environment: those that are up, else its own

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "real:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	nodes := flag.Int("nodes", 1, "brokers of Kafka: 1, or 3")
	dir := flag.String("dir", "bin/real", "where addresses and logs are")
	store := flag.String("store", "bin/parts", "where what was fetched is kept")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	a := app{dir: *dir, cfg: parts.Config{
		Store: parts.Store{Dir: *store}, Nodes: *nodes, Logs: *dir, Progress: os.Stdout,
	}}
	switch verb := flag.Arg(0); verb {
	case "up":
		return a.up(ctx)
	case "keep":
		return a.keep(ctx)
	case "down":
		return a.down(ctx)
	case "run":
		return a.run(ctx, flag.Args()[1:])
	default:
		flag.Usage()
		return fmt.Errorf("%q is not up, down or run", strings.TrimSpace(verb))
	}
}
