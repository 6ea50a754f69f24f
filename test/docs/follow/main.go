// Command follow runs the order service, built with coverage, and obeys two words on standard input: "clear" forgets
// what has run so far, "write DIR" writes what has run since. It answers each with a line, and stops when its input
// ends. The test of docs/follow-an-order.md uses it.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/coverage"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order"
)

func main() {
	os.Exit(service.Main(service.Built("", ""), func(ctx context.Context, cfg order.Config) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			obey(os.Stdin, os.Stdout)
			cancel()
		}()
		return order.Run(ctx, cfg)
	}))
}

func obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word, dir, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch word {
		case "clear":
			err = coverage.ClearCounters()
		case "write":
			if err = coverage.WriteMetaDir(dir); err == nil {
				err = coverage.WriteCountersDir(dir)
			}
		default:
			err = fmt.Errorf("%q is not a word of mine", word)
		}
		if err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintln(out, "ok")
	}
}
