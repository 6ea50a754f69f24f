// Command bench measures the platform and prints one report: the handlers of each service on SQLite and PostgreSQL, the
// group commit of HTTP commands, and whole sagas on the embedded platform under open-loop load. With -real it measures
// whole sagas on Kafka and PostgreSQL instead, beside a floor that is written by hand.
//
// It is run from the root of the repository, with bin/quadrille built: make bench, make bench-real.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type config struct {
	only     string
	quick    bool
	binary   string
	raw      string
	rate     int
	duration time.Duration
	skus     int
	real     bool
	rounds   int
	floor    string
	store    string
	logs     string
}

func (c config) wants(part string) bool { return c.only == "" || c.only == part }

func parse() (config, error) {
	var c config
	flag.StringVar(&c.only, "only", "", "one part: handlers, http or sagas (default all)")
	flag.BoolVar(&c.quick, "quick", false, "see in a minute and a half that all of it works; the figures mean little")
	flag.StringVar(&c.binary, "binary", "bin/quadrille", "the built `program`")
	flag.StringVar(&c.raw, "raw", "bin/bench.txt", "`file` for the output of go test, which benchstat reads")
	flag.IntVar(&c.rate, "rate", 0, "orders a second (default: steps, up to the highest that is sustained)")
	flag.DurationVar(&c.duration, "duration", 8*time.Second, "time of load at each rate")
	flag.IntVar(&c.skus, "skus", 50, "products that the orders are spread over")
	flag.BoolVar(&c.real, "real", false, "measure the services on Kafka and PostgreSQL, beside the floor")
	flag.IntVar(&c.rounds, "rounds", 3, "with -real: rounds of each")
	flag.StringVar(&c.floor, "floor", "bin/floor", "with -real: the built `program` of test/bench/floor")
	flag.StringVar(&c.store, "store", "bin/parts", "with -real: `folder` of the servers' programs")
	flag.StringVar(&c.logs, "logs", "bin/bench-real", "with -real: `folder` for what the servers say")
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case c.only != "" && c.only != "handlers" && c.only != "http" && c.only != "sagas":
		return c, fmt.Errorf("-only %s: there are handlers, http and sagas", c.only)
	case c.real && (c.only != "" || c.rounds < 1):
		return c, errors.New("-real measures sagas alone, in at least one round")
	case c.rate < 0 || c.duration < time.Second || c.skus < orderLines:
		return c, fmt.Errorf("-rate must not be negative, -duration at least 1s, -skus at least %d", orderLines)
	}
	if c.quick {
		c.duration, c.rounds = min(c.duration, 3*time.Second), 1
	}
	return c, nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures one part after the other, so that none disturbs another, and goes on after one that failed.
func run() error {
	cfg, err := parse()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	started := time.Now()
	fmt.Println(machine())
	if cfg.real {
		err = onServers(ctx, cfg)
		fmt.Printf("\nmeasured in %s\n", time.Since(started).Round(time.Second))
		return errors.Join(err, ctx.Err())
	}
	var errs []error
	if cfg.wants("handlers") || cfg.wants("http") {
		errs = append(errs, benchmarks(ctx, cfg))
	}
	if cfg.wants("sagas") && ctx.Err() == nil {
		errs = append(errs, sagas(ctx, cfg))
	}
	fmt.Printf("\nmeasured in %s\n", time.Since(started).Round(time.Second))
	return errors.Join(append(errs, ctx.Err())...)
}
