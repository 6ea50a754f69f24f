package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

var benchmarked = []string{"order", "inventory", "payment"}

// result of one benchmark: BenchmarkHandler of order on PostgreSQL in batches of 500 through the unit is
// {order, Handler, postgres, 500, unit}.
type result struct {
	service, benchmark, database string
	size                         int // of the batch, or callers
	kind                         string
}

// benchmarks runs those of the services, one module after the other, and prints what they say.
func benchmarks(ctx context.Context, cfg config) error {
	figures := make(map[result]float64)
	durability := make(map[string]bool)
	var raw bytes.Buffer
	for _, service := range benchmarked {
		if err := benchmark(ctx, cfg, service, &raw, figures, durability); err != nil {
			return err
		}
	}
	if err := os.WriteFile(cfg.raw, raw.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Println()
	for _, line := range sorted(durability) {
		fmt.Println(line)
	}
	if cfg.wants("handlers") {
		fmt.Print(handlerTable(figures))
	}
	if cfg.wants("http") {
		fmt.Print(callerTable(figures))
	}
	return nil
}

func benchmark(ctx context.Context, cfg config, service string, raw io.Writer, figures map[result]float64,
	durability map[string]bool) error {
	name := "Handler|Place"
	switch cfg.only {
	case "handlers":
		name = "Handler"
	case "http":
		name = "Place"
	}
	args := []string{"test", "-run", "^$", "-timeout", "10m", "-bench", name, "-benchtime", "1s"}
	if cfg.quick {
		args[len(args)-1] = "100ms"
	}
	fmt.Fprintf(os.Stderr, "benchmarks of %s …\n", service)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = "services/" + service
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if _, failed := raw.Write(out); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("benchmarks of %s: %w\n%s", service, err, out)
	}
	scanner := bufio.NewScanner(bytes.NewReader(out))
	for scanner.Scan() {
		line := scanner.Text()
		if r, figure, ok := parseResult(service, line); ok {
			figures[r] = figure
		} else if at := strings.Index(line, "durability: "); at >= 0 {
			durability[line[at:]] = true
		}
	}
	return scanner.Err()
}

// parseResult reads a line such as
//
//	BenchmarkHandler/postgres/batch=500/unit-2    6    17509 events/s
func parseResult(service, line string) (r result, figure float64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return r, 0, false
	}
	name := fields[0]
	if dash := strings.LastIndexByte(name, '-'); dash >= 0 {
		name = name[:dash] // GOMAXPROCS, left out when it is 1
	}
	parts := strings.Split(strings.TrimPrefix(name, "Benchmark"), "/")
	if len(parts) < 3 {
		return r, 0, false
	}
	r = result{service: service, benchmark: parts[0], database: parts[1]}
	_, size, _ := strings.Cut(parts[2], "=")
	var err error
	if r.size, err = strconv.Atoi(size); err != nil {
		return r, 0, false
	}
	if len(parts) > 3 {
		r.kind = parts[3]
	}
	for i := 2; i+1 < len(fields); i += 2 {
		if strings.HasSuffix(fields[i+1], "s/s") { // events/s, orders/s; not MB/s
			figure, err = strconv.ParseFloat(fields[i], 64)
			return r, figure, err == nil
		}
	}
	return r, 0, false
}
