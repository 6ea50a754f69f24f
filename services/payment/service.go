// Package payment is the service that owns payments and the ledger. It holds the total of an order that is placed and
// whose stock is reserved, takes it when the order is confirmed, and gives back whatever was held or taken when it is
// cancelled. The payment gateway is asked by calls outside of any transaction; see calls.go.
package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/api"
	"github.com/quadrille-platform/quadrille/services/payment/internal/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// Name of the service, of its consumer group and of its database.
const Name = "payment"

// maxTimeout keeps leases, which follow from it, short: after a crash nobody makes a call before its lease ran out.
const maxTimeout = 10 * time.Second

// Config of the service.
type Config struct {
	service.Config
	// GatewayURL is the payment gateway. Defaults to http://127.0.0.1:8090.
	GatewayURL string `env:"GATEWAY_URL" envDefault:"http://127.0.0.1:8090"`
	// GatewayTimeout bounds each request to the gateway, at most 10 s. A call is two of them at most, and is leased for
	// four and a half times as long: those of a process that was killed are made again after at most that. Defaults to
	// 5 s.
	GatewayTimeout time.Duration `env:"GATEWAY_TIMEOUT" envDefault:"5s"`
	// CallLimit is how many calls to the gateway run at a time: what a gateway that hangs can hold up. Defaults to 64.
	CallLimit int `env:"CALL_LIMIT" envDefault:"64"`
	// AskBeforeVoid voids the payment of a cancelled order only after the gateway has cancelled it, although no call is
	// known that could have held anything: for as long as a database that was restored from a backup catches up, which
	// forgot the calls made since. It costs a call for each order that was out of stock. Defaults to false.
	AskBeforeVoid bool `env:"ASK_BEFORE_VOID" envDefault:"false"`
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	c.Config = c.Config.WithDefaults("127.0.0.1:8083", "127.0.0.1:9083", "sqlite:data/payment.db")
	if c.GatewayURL == "" {
		c.GatewayURL = "http://127.0.0.1:8090"
	}
	if c.GatewayTimeout == 0 {
		c.GatewayTimeout = 5 * time.Second
	}
	if c.CallLimit == 0 {
		c.CallLimit = 64
	}
	return c
}

func (c Config) validate() error {
	if c.GatewayTimeout < 0 || c.GatewayTimeout > maxTimeout {
		return fmt.Errorf("QUADRILLE_GATEWAY_TIMEOUT is %s; it must be between 0 and %s", c.GatewayTimeout, maxTimeout)
	}
	if c.CallLimit < 0 {
		return fmt.Errorf("QUADRILLE_CALL_LIMIT is %d; it must be positive", c.CallLimit)
	}
	if _, err := gateway.New(gateway.Config{URL: c.GatewayURL}); err != nil {
		return fmt.Errorf("QUADRILLE_GATEWAY_URL: %w", err)
	}
	return nil
}

// Run runs the service until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.WithDefaults()
	if err := cfg.validate(); err != nil {
		return err
	}
	return service.Run(ctx, cfg.Config, Definition(cfg))
}

// Definition is the service's table of contents.
func Definition(cfg Config) service.Definition[store.Message, *store.State, payment.Event] {
	return service.Definition[store.Message, *store.State, payment.Event]{
		Name:       Name,
		Title:      "Payments",
		Migrations: store.Migrations(),
		Publishes:  service.Owned(schemas.Records(), Name),
		Consumes: service.Types(schemas.Records(), "OrderPlaced", "OrderConfirmed", "OrderCancelled",
			"StockReserved"),
		Load:    cfg.load,
		Save:    store.Save,
		Publish: kafka.Publish,
		Input:   input,
		Routes:  api.Register,
		Admin:   api.RegisterAdmin,
		Background: func(p *api.Parts) []func(context.Context) error {
			return []func(context.Context) error{calls(p, cfg)}
		},
	}
}

// input keeps, beside what an event asks of the domain, the request that it goes back to.
func input(e event.Event, arrived time.Time) (store.Message, bool, error) {
	m, wanted, err := kafka.Input(e, arrived)
	origin := store.Origin{Correlation: e.Cause.Correlation, Trace: e.Cause.Trace}
	return store.Message{Message: m, Origin: origin}, wanted, err
}

// load tells the till what the database cannot know.
func (c Config) load(ctx context.Context, tx *sqldb.Tx, messages []store.Message) (*store.State, error) {
	s, err := store.Load(ctx, tx, messages)
	if err != nil {
		return nil, err
	}
	s.Till.AskBeforeVoid = c.AskBeforeVoid
	return s, nil
}
