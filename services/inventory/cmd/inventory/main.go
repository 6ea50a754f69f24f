// Command inventory runs the inventory service.
package main

import (
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

func main() { os.Exit(service.Main(inventory.Run)) }
