package main

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

type gatewayCommand struct {
	Addr     string        `help:"Where to listen." env:"QUADRILLE_GATEWAY_ADDR" default:"127.0.0.1:8090"`
	Data     string        `help:"Folder of its ledger; empty keeps it in memory." env:"QUADRILLE_GATEWAY_DATA" default:"data/gateway"`
	Slow     time.Duration `help:"How long tok_slow takes." env:"QUADRILLE_GATEWAY_SLOW" default:"2s"`
	Lifeline bool          `hidden:"" help:"Stop when standard input ends."`
}

func (c gatewayCommand) Run(ctx context.Context) error {
	if c.Lifeline {
		ctx = lifeline(ctx)
	}
	return gateway.Run(ctx, gateway.Config{Addr: c.Addr, Data: c.Data, Slow: c.Slow})
}
