package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/quadrille-platform/quadrille/platform/broker"
)

// brokerCommand runs the broker of `up` as a process of its own, which can be killed and started again.
type brokerCommand struct {
	Addr     string `help:"Where to listen." default:"127.0.0.1:9092"`
	Data     string `help:"Folder of its logs; empty keeps them in memory." default:"data/kafka"`
	Lifeline bool   `help:"Stop when standard input ends."`
}

// Run prints the address once the topics of the catalogue are there.
func (c brokerCommand) Run(ctx context.Context) (err error) {
	if c.Lifeline {
		ctx = lifeline(ctx)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := broker.Start(broker.Config{Addr: c.Addr, Data: c.Data, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if _, err := applyTopics(ctx, []string{b.Addr()}); err != nil {
		return err
	}
	fmt.Println(b.Addr())
	<-ctx.Done()
	return nil
}
