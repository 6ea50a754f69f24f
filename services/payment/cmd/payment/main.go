// Command payment runs the payment service.
package main

import (
	"context"
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/payment"
)

func main() {
	os.Exit(service.Main(func(ctx context.Context) error {
		var cfg payment.Config
		if err := service.Load(&cfg); err != nil {
			return err
		}
		return payment.Run(ctx, cfg)
	}))
}
