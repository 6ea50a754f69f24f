// Command order runs the order service.
package main

import (
	"context"
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order"
)

func main() {
	os.Exit(service.Main(func(ctx context.Context) error {
		var cfg order.Config
		if err := service.Load(&cfg); err != nil {
			return err
		}
		return order.Run(ctx, cfg)
	}))
}
