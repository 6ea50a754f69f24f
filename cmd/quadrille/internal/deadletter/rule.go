package deadletter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// errInterrupted says that the operator wants no more of it.
var errInterrupted = errors.New("interrupted")

// talk is with whom a command speaks.
type talk struct {
	asks      bool
	from      io.Reader
	to, notes io.Writer
	// inPlace says that notes is a terminal, where a line can be written over.
	inPlace bool
}

func terminal(quiet bool) talk {
	return talk{
		asks: !quiet && isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stdout.Fd()),
		from: os.Stdin, to: os.Stdout, notes: os.Stderr, inPlace: isatty.IsTerminal(os.Stderr.Fd()),
	}
}

// ruling is one of the two commands.
type ruling struct {
	operate.Platform
	Choice
	action, state, reason string
}

func (r ruling) run(ctx context.Context, with talk) error {
	var err error
	if r.By, err = r.Known(); err != nil {
		return err
	}
	platform, err := r.Client(ctx)
	if err != nil {
		return err
	}
	if len(r.Letters) > 0 {
		return r.each(ctx, platform, with)
	}
	return r.sweep(ctx, platform, with)
}

// each rules on letters by name, and goes on after one that is refused.
func (r ruling) each(ctx context.Context, platform *client.Client, with talk) error {
	known := slices.Sorted(maps.Keys(platform.Admin))
	for _, id := range r.Letters {
		if err := checkService(id.service, known); err != nil {
			return err
		}
	}
	pace := newPace(r.Rate)
	defer pace.stop()
	var errs []error
	for _, id := range r.Letters {
		if err := pace.wait(ctx); err != nil {
			return errors.Join(append(errs, err)...)
		}
		letter, err := platform.Rule(ctx, id.service, id.number, r.action, r.By, r.reason)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, operate.Explain(id.service, platform, err)))
			continue
		}
		if r.JSON {
			err = json.NewEncoder(with.to).Encode(listed{id.service, letter})
		} else {
			_, err = fmt.Fprintf(with.to, "%s is %s\n", id, letter.State)
		}
		if err != nil {
			return fmt.Errorf("print what was done: %w", err)
		}
	}
	return errors.Join(errs...)
}

// ask returns once the question is answered, or with an error once ctx ends.
func ask(ctx context.Context, with talk, question string) (bool, error) {
	if _, err := fmt.Fprint(with.to, question); err != nil {
		return false, err
	}
	answer := make(chan string, 1)
	go func() {
		// Ends with the program: nothing interrupts the reading of a terminal.
		line, _ := bufio.NewReader(with.from).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(with.to)
		return false, errors.Join(errInterrupted, err)
	case said := <-answer:
		return said == "y" || said == "yes", nil
	}
}
