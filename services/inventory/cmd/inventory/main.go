// Command inventory runs the inventory service.
package main

import (
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

// version and revision are set by the linker: -ldflags "-X main.version=… -X main.revision=…".
var version, revision string

func main() { os.Exit(service.Main(service.Built(version, revision), inventory.Run)) }
