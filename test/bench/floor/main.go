// Command floor is what the platform is measured against: the same saga, written by hand. It executes the services' SQL
// statements, as many a transaction, produces and consumes the same records, answers the same request, and asks the
// gateway and the mail server the same; all in plain loops over pgx and franz-go, with nothing of the platform's
// packages. It knows one way only, that of an order which is confirmed, and stops at the first error.
//
// make bench-real runs it on databases that the services have migrated, beside the services themselves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

type config struct {
	brokers  []string
	database map[string]string // by service
	listen   string
	gateway  string
	smtp     string
	skus     int
}

func parse() (config, error) {
	c := config{database: make(map[string]string)}
	kafka := flag.String("kafka", "", "host:port of the brokers")
	flag.StringVar(&c.listen, "listen", "127.0.0.1:0", "where orders are placed")
	flag.StringVar(&c.gateway, "gateway", "", "host:port of the payment gateway")
	flag.StringVar(&c.smtp, "smtp", "", "host:port of the mail server")
	flag.IntVar(&c.skus, "skus", 50, "products, called bench-0000 and so on")
	flag.Func("database", "`service=url` of its database; one for each", func(text string) error {
		name, url, found := strings.Cut(text, "=")
		if !found {
			return fmt.Errorf("%q is not service=url", text)
		}
		c.database[name] = url
		return nil
	})
	flag.Parse()
	c.brokers = strings.Split(*kafka, ",")
	if *kafka == "" || c.gateway == "" || c.smtp == "" {
		return c, errors.New("-kafka, -gateway and -smtp are needed")
	}
	return c, nil
}

func main() {
	if err := run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// run starts the four loops, then says where it takes orders.
func run() error {
	cfg, err := parse()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := seed(ctx, cfg); err != nil {
		return fmt.Errorf("products: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	order, inventory := newOrders(), newInventory()
	payment, notification := newPayments(cfg), newNotifications(cfg)
	for _, s := range []*service{order.service, inventory, payment.service, notification.service} {
		if err := s.open(ctx, cfg); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer s.close()
		s.start(ctx, g)
	}
	for _, c := range []*caller{payment.caller, notification.caller} {
		if err := c.start(ctx, g); err != nil {
			return err
		}
	}
	if err := order.serve(ctx, g, cfg); err != nil {
		return err
	}
	return g.Wait()
}
