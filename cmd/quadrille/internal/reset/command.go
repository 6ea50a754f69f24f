// Package reset removes a platform's data folder.
package reset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// Command is `quadrille reset`.
type Command struct {
	Data string `help:"Folder to remove." default:"data" type:"path" predictor:"folder"`
	Yes  bool   `short:"y" help:"Do not ask."`
	JSON bool   `help:"Print what was removed as JSON; asks nothing, so --yes must be given."`
}

// Help is shown by `quadrille reset --help`.
func (Command) Help() string {
	return `Removes what "quadrille up" keeps in its data folder: the broker's logs, the schema registry, the gateway's
ledger and the services' databases, so that the next start begins anew. Databases on PostgreSQL are not touched. It
refuses a folder that a platform runs on or that is no platform's, and leaves files there that no platform wrote.

Examples:

  quadrille reset                      asks, then removes ./data
  quadrille reset --yes
  quadrille reset --data /tmp/trial --yes --json`
}

// ErrConfirm says that nobody was there to be asked. The command line lacks --yes.
var ErrConfirm = errors.New("nobody can be asked here: give --yes to remove")

// Run removes the folder unless somebody objects.
func (c Command) Run(ctx context.Context) error {
	asks := !c.JSON && isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stdout.Fd())
	return c.run(ctx, asks, os.Stdin, os.Stdout)
}

func (c Command) run(ctx context.Context, asks bool, from io.Reader, to io.Writer) error {
	found, err := look(c.Data)
	if err != nil {
		return err
	}
	release, err := found.lock()
	if err != nil {
		return err
	}
	defer release()
	if found.isEmpty() {
		return c.say(to, found)
	}
	if !c.Yes {
		if !asks {
			return fmt.Errorf("%w %s (%s)", ErrConfirm, found.Folder, size(found.Bytes))
		}
		agreed, err := ask(ctx, from, to, fmt.Sprintf("Remove %s (%s)? [y/N] ", found.Folder, size(found.Bytes)))
		if err != nil {
			return err
		}
		if !agreed {
			_, err := fmt.Fprintln(to, "Nothing was removed.")
			return err
		}
	}
	if err := found.remove(); err != nil {
		return err
	}
	return c.say(to, found)
}

// ask returns once the question is answered or ctx ends, which counts as no.
func ask(ctx context.Context, from io.Reader, to io.Writer, question string) (bool, error) {
	if _, err := fmt.Fprint(to, question); err != nil {
		return false, err
	}
	answer := make(chan string, 1)
	go func() {
		// Ends with the program: nothing interrupts the reading of a terminal.
		line, _ := bufio.NewReader(from).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(to)
		return false, err
	case said := <-answer:
		return said == "y" || said == "yes", nil
	}
}
