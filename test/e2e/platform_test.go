// Package e2e tests what a user starts: the built program, its processes, its HTTP APIs.
package e2e

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 2 * time.Minute

var built binary.Shared

func TestMain(m *testing.M) { built.Run(m) }

// platform is a running `quadrille up`.
type platform struct{ *launch.Platform }

// up starts the platform on free ports and returns once it says that it is ready. It is stopped when the test ends. Where
// the environment names a broker and a registry it stands on these.
func up(t *testing.T, args ...string) *platform {
	t.Helper()
	return upOn(t, given(), args...)
}

func upOn(t *testing.T, on *servers, args ...string) *platform {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	on.empty(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := launch.Up(ctx, launch.Config{Path: path, Args: append([]string{"--free-ports"}, on.arguments(t, args)...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	p.Client = client.New(on.addresses(p.Addresses))
	return &platform{p}
}

// eventually calls try until it returns nil.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Until(ctx, what, try); err != nil {
		t.Fatal(err)
	}
}

// anyone calls addresses that are given in full.
var anyone = client.New(client.Addresses{})

// call sends body as JSON and decodes the answer into the value pointed to by into, if it is not nil.
func call(method, url string, header map[string]string, body, into any) (*client.Answer, error) {
	caller := anyone
	for name, value := range header {
		caller = caller.With(name, value)
	}
	return caller.Call(context.Background(), method, url, body, into)
}

type (
	order = client.Order
	line  struct {
		SKU      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	}
)

func placeAt(addr, method string, lines ...line) (order, error) {
	bought := make([]client.Line, len(lines))
	for i, l := range lines {
		bought[i] = client.Line(l)
	}
	return anyone.At("order", addr).Place(context.Background(), client.Buy(method, bought...))
}

// place places an order that must be accepted.
func (p *platform) place(t *testing.T, method string, lines ...line) order {
	t.Helper()
	o, err := placeAt(p.Services["order"], method, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// completed waits until the saga of an order has ended.
func (p *platform) completed(t *testing.T, id string) order {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o, err := p.Completed(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// stock puts a product with a quantity in stock and waits until order knows it.
func (p *platform) stock(t *testing.T, sku string, quantity int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Stock(ctx, sku, client.Money{Amount: 100, Currency: "EUR"}, quantity); err != nil {
		t.Fatal(err)
	}
}

// levels of a product.
func (p *platform) levels(t *testing.T, sku string) client.Levels {
	t.Helper()
	levels, err := p.Levels(t.Context(), sku)
	if err != nil {
		t.Fatal(err)
	}
	return levels
}

// freeAddr returns an address where nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
