package launch_test

import (
	"context"
	"fmt"
	"log"
	"syscall"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

func Example() {
	ctx := context.Background()
	p, err := launch.Up(ctx, launch.Config{Path: "bin/quadrille", Args: []string{"--ephemeral", "--free-ports"}})
	if err != nil {
		log.Fatal(err)
	}
	o, err := p.Place(ctx, client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 1}))
	if err == nil {
		o, err = p.Completed(ctx, o.ID)
	}
	fmt.Println(o.Status, err)
	if err := p.Stop(syscall.SIGTERM); err != nil {
		log.Fatal(err)
	}
}
