package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type stockCommand struct {
	Inventory string `help:"Address of inventory." default:"127.0.0.1:8082" placeholder:"HOST:PORT"`
	Order     string `help:"Address of order." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	Data      string `help:"Folder that remembers a stocking that was cut short." default:"data" type:"path"`
	JSON      bool   `help:"Print the samples as JSON."`
}

// Run may be repeated: where there are products it changes nothing.
func (c stockCommand) Run(ctx context.Context) error {
	if err := os.MkdirAll(c.Data, 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	wait := patience{os.Stderr}
	stocked, err := stockSamples(ctx, wait, filepath.Join(c.Data, unfinishedSamples), c.Inventory)
	if err != nil {
		return err
	}
	if err := listed(ctx, wait, stocked, c.Order); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string][]string{"samples": append([]string{}, stocked...)})
	}
	fmt.Println("samples:", strings.Join(stocked, ", "))
	return nil
}

// Help is shown by `quadrille stock --help`.
func (stockCommand) Help() string {
	return `Stocks the sample products of an inventory that has no product, and waits until order lists them.
"quadrille up" does it at each start.

Examples:

  quadrille stock
  quadrille stock --inventory 10.0.0.7:8082 --order 10.0.0.6:8081
  quadrille stock --json`
}
