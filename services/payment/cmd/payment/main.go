// Command payment runs the payment service.
package main

import (
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/payment"
)

func main() { os.Exit(service.Main(payment.Run)) }
