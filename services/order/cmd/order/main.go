// Command order runs the order service.
package main

import (
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order"
)

func main() { os.Exit(service.Main(order.Run)) }
