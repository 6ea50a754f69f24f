package service

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// Main is all that the main of a service does: it reads the Config C, which embeds that of this package, from the
// environment, see Load, and runs the service until SIGINT or SIGTERM; see UntilSignal for a second one. It returns the
// process's exit status. With -help it prints the variables of C, with -version the build; with healthcheck it asks the
// service that runs by the same environment whether it is ready.
func Main[C any, P interface {
	*C
	setBuild(Build)
	admin() string
}](build Build, run func(context.Context, C) error) int {
	var cfg C
	if args := os.Args[1:]; len(args) > 0 {
		switch {
		case slices.Contains([]string{"-h", "-help", "--help"}, args[0]):
			WriteHelp(os.Stdout, cfg)
			return 0
		case slices.Contains([]string{"-version", "--version"}, args[0]):
			fmt.Println(nameOf(cfg), build)
			return 0
		case args[0] == "healthcheck":
			return healthcheck[C, P]()
		}
		fmt.Fprintf(os.Stderr, "quadrille: %q is not understood: a service is told all by environment variables; "+
			"-help lists them\n", args[0])
		return 2
	}
	ctx, stop := UntilSignal(context.Background())
	defer stop()
	err := Load(&cfg)
	if err == nil {
		P(&cfg).setBuild(build)
		err = run(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		return 1
	}
	return 0
}

func (c *Config) setBuild(b Build) { c.Version, c.Revision = b.Version, b.Revision }
