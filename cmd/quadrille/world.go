package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/platform/registry"
)

// world is what the services find around them: broker, schema registry, payment gateway and mail server.
type world struct {
	registryURL, gatewayURL, smtpAddr string
	closers                           []func() error
}

// startWorld starts all of it, or nothing.
func startWorld(data string, addrs addresses, logger *slog.Logger) (_ *world, err error) {
	w := &world{registryURL: "http://" + addrs.Registry, gatewayURL: "http://" + addrs.Gateway, smtpAddr: addrs.SMTP}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	b, err := broker.Start(broker.Config{Addr: addrs.Kafka, Data: filepath.Join(data, "kafka"), Logger: logger})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, b.Close)
	r, err := registry.Start(registry.Config{
		Addr: addrs.Registry, Data: filepath.Join(data, "registry"), Compatible: serde.Compatible, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, r.Close)
	g, err := gateway.Start(gateway.Config{Addr: addrs.Gateway, Data: filepath.Join(data, "gateway"), Logger: logger})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, g.Close)
	m, err := mailbox.Start(mailbox.Config{
		SMTPAddr: addrs.SMTP, Addr: addrs.Mail, Data: filepath.Join(data, "mailbox"), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, m.Close)
	return w, nil
}

// close stops it in the opposite order.
func (w *world) close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop the platform: %w", err)
	}
	return nil
}
