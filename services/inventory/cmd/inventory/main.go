// Command inventory runs the inventory service.
package main

import (
	"context"
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

func main() {
	os.Exit(service.Main(func(ctx context.Context) error {
		var cfg inventory.Config
		if err := service.Load(&cfg); err != nil {
			return err
		}
		return inventory.Run(ctx, cfg)
	}))
}
