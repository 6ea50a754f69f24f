package main

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

type healthcheckCommand struct {
	URL   string `arg:"" optional:"" help:"What to ask (default: /readyz of the admin listener)."`
	Admin string `help:"Admin listener of the service." env:"QUADRILLE_ADMIN_ADDR" default:"127.0.0.1:9081"`
}

// Run fails unless the answer is a success.
func (c healthcheckCommand) Run(ctx context.Context) error {
	url := c.URL
	if url == "" {
		var err error
		if url, err = service.Readiness(c.Admin); err != nil {
			return err
		}
	}
	return service.Probe(ctx, url)
}

// Help is shown by `quadrille healthcheck --help`.
func (healthcheckCommand) Help() string {
	return `Ends with 0 if all is well there, with 1 and the reason if it is not. It is for images that have no other
program to ask by; the images of the services have the same command.

Examples:

  quadrille healthcheck --admin 127.0.0.1:9082
  quadrille healthcheck http://127.0.0.1:8090/healthz`
}
