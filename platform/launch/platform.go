package launch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// Platform is a running `quadrille up`.
type Platform struct {
	*Process
	*client.Client
	// Took is the time from the start to the word that all is ready.
	Took time.Duration
	// LeftOut holds the environment of each service that was left out, each variable as NAME=value.
	LeftOut map[string][]string

	path string
}

// Up starts `quadrille up --json` with further arguments and returns once it says that all is ready. It ends with this
// program, however that ends. Nothing is left running after an error.
func Up(ctx context.Context, cfg Config) (*Platform, error) {
	cfg.Args = append([]string{"up", "--json", "--lifeline"}, cfg.Args...)
	began := time.Now()
	process, err := Start(cfg)
	if err != nil {
		return nil, err
	}
	p := &Platform{Process: process, LeftOut: make(map[string][]string), path: cfg.Path}
	addresses, err := p.announced(ctx)
	if err != nil {
		return nil, errors.Join(err, process.Stop(syscall.SIGTERM))
	}
	process.ignore()
	p.Client, p.Took = client.New(addresses), time.Since(began)
	return p, nil
}

// announced reads what `up` prints: the environment of what it leaves out, then the addresses.
func (p *Platform) announced(ctx context.Context) (addresses client.Addresses, err error) {
	leftOut := ""
	for {
		line, err := p.Line(ctx)
		if err != nil {
			return addresses, err
		}
		name, found := strings.CutSuffix(line, " is left out. Start it elsewhere with")
		variable, isVariable := strings.CutPrefix(line, "export ")
		switch {
		case found:
			leftOut = name
		case isVariable:
			key, value, _ := strings.Cut(variable, "=")
			p.LeftOut[leftOut] = append(p.LeftOut[leftOut], key+"="+strings.Trim(value, "'"))
		case strings.HasPrefix(line, "{"):
			if err := json.Unmarshal([]byte(line), &addresses); err != nil {
				return addresses, fmt.Errorf("up said %q: %w", line, err)
			}
			return addresses, nil
		}
	}
}
