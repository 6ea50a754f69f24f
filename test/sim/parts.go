package sim

import (
	"context"
	"errors"
	"net/http"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
)

// Where the platform is.
const (
	brokerAddr   = "127.0.0.1:9092"
	registryAddr = "127.0.0.1:8091"
	gatewayAddr  = "127.0.0.1:8090"
	smtpAddr     = "127.0.0.1:1025"
	mailAddr     = "127.0.0.1:8025"
)

// partitions of each topic: fewer than in earnest, so that keys meet.
const partitions = 3

// parts is the platform around the services: the broker, the registry, the payment gateway and the mailbox, the real
// ones.
type parts struct {
	network *Network
	data    string // the broker's folder

	brokerHost *Host
	broker     *broker.Broker

	registryHost, gatewayHost, mailHost *Host

	registry *registry.Registry
	gateway  *gateway.Gateway
	mailbox  *mailbox.Mailbox

	// registryFaults and gatewayFaults are what can happen to a request on its way.
	registryFaults, gatewayFaults *Handler

	servers []*server
}

// startParts starts the platform and makes the topics and schemas of the catalogue.
func startParts(ctx context.Context, n *Network, data string, world *World) (p *parts, err error) {
	p = &parts{
		network: n, data: data,
		registryHost: n.Host("registry"), gatewayHost: n.Host("gateway"), mailHost: n.Host("mailbox"),
	}
	if err := p.startBroker(world); err != nil {
		return nil, err
	}
	p.registry, err = registry.Open(registry.Config{Compatible: serde.Compatible, Logger: world.logger})
	if err != nil {
		return nil, err
	}
	p.gateway, err = gateway.Open(gateway.Config{
		Slow: gatewaySlow, AuthorizationTTL: world.plan.AuthorizationTTL, Logger: world.logger,
	})
	if err != nil {
		return nil, err
	}
	p.mailbox, err = mailbox.Start(mailbox.Config{
		SMTPAddr: smtpAddr, Addr: mailAddr, Listen: p.mailHost.Listen, Slow: mailSlow, Logger: world.logger,
	})
	if err != nil {
		return nil, err
	}
	p.registryFaults = newHandler(p.registry, world)
	p.gatewayFaults = newHandler(p.gateway, world)
	for addr, s := range map[string]struct {
		host    *Host
		handler http.Handler
	}{registryAddr: {p.registryHost, p.registryFaults}, gatewayAddr: {p.gatewayHost, p.gatewayFaults}} {
		started, err := serveHTTP(s.host, addr, s.handler, world.logger)
		if err != nil {
			return nil, err
		}
		p.servers = append(p.servers, started)
	}
	return p, p.apply(ctx)
}

// startBroker starts the broker on the folder of the one before.
func (p *parts) startBroker(world *World) error {
	p.brokerHost = p.network.Host("broker")
	b, err := broker.Start(broker.Config{
		Addr: brokerAddr, Data: p.data, Listen: p.brokerHost.Listen, Logger: world.logger,
		SessionTimeout: sessionTimeout, Heartbeat: sessionTimeout / 5,
	})
	p.broker = b
	return err
}

// stopBroker closes the broker; nothing that it has acknowledged is lost.
func (p *parts) stopBroker() error {
	p.brokerHost.Cut()
	return p.broker.Close()
}

// apply makes the contracts true.
func (p *parts) apply(ctx context.Context) error {
	host := p.network.Host("apply")
	defer host.Cut()
	client, err := kafka.NewClient(kafka.Config{
		Brokers: []string{brokerAddr}, ClientID: "apply", Options: []kgo.Opt{kgo.Dialer(host.Dial)},
	})
	if err != nil {
		return err
	}
	defer client.Close()
	var topics []kafka.Topic
	for _, t := range schemas.Topics() {
		topics = append(topics, kafka.Topic{Name: t.Name, Partitions: partitions})
	}
	if _, err := kafka.Apply(ctx, kadm.NewClient(client), topics); err != nil {
		return err
	}
	schemaClient, err := serde.NewClientOver(&http.Transport{DialContext: host.Dial}, "http://"+registryAddr)
	if err != nil {
		return err
	}
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	return serde.Register(ctx, schemaClient, types)
}

// close stops the platform.
func (p *parts) close() error {
	errs := []error{p.stopBroker(), p.gateway.Close(), p.registry.Close()}
	for _, s := range p.servers {
		errs = append(errs, s.close())
	}
	errs = append(errs, p.mailbox.Close())
	p.mailHost.Cut()
	return errors.Join(errs...)
}
