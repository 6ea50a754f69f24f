// Command notification runs the notification service.
package main

import (
	"os"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/notification"
)

func main() { os.Exit(service.Main(notification.Run)) }
