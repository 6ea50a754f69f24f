package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Main is all that the main of a service does: it reads the Config C from the environment, see Load, and runs the
// service until SIGINT or SIGTERM. It returns the process's exit status. With -help it prints the variables of C.
func Main[C any](run func(context.Context, C) error) int {
	var cfg C
	if args := os.Args[1:]; len(args) > 0 {
		if slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
			WriteHelp(os.Stdout, cfg)
			return 0
		}
		fmt.Fprintf(os.Stderr, "quadrille: %q is not understood: a service is told all by environment variables; "+
			"-help lists them\n", args[0])
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Load(&cfg)
	if err == nil {
		err = run(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		return 1
	}
	return 0
}
