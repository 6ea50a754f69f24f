package main

import (
	"context"
	"fmt"
	"os"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

const stockOfEach = 1_000_000_000

// up starts a platform whose data is in a temporary folder.
func up(ctx context.Context, binary string) (*launch.Platform, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	p, err := launch.Up(ctx, launch.Config{
		Path: binary, Args: []string{"--ephemeral", "--free-ports"}, Stderr: os.Stderr,
	})
	if err != nil {
		return nil, fmt.Errorf("start the platform, of the program that make build makes: %w", err)
	}
	return p, nil
}

func sku(n int) string { return fmt.Sprintf("bench-%04d", n) }

// stock puts products on sale.
func stock(ctx context.Context, p *client.Client, skus int) error {
	for n := range skus {
		if err := p.Stock(ctx, sku(n), client.Money{Amount: 100, Currency: "EUR"}, stockOfEach); err != nil {
			return err
		}
	}
	return nil
}
