package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// ground is a platform that some steps share.
type ground struct {
	name string
	// args of `quadrille up`.
	args []string
	// lasting data outlives the platform, so that it can be started again, and is where steps find it.
	lasting bool
	// exposed platforms have broker and gateway as processes of their own, and a file says which events are refused.
	exposed bool
	// postgres is the service that keeps its data on a throwaway PostgreSQL.
	postgres string
	// why its steps cannot be shown on a platform that runs already; empty if they can.
	why string
}

// slowCard is how long the gateway of an exposed platform takes with the slow card: enough to do something meanwhile.
const slowCard = 3 * time.Second

// The grounds. Calm changes nothing, so that its steps can be shown on any platform.
var (
	calm  = &ground{name: "calm", lasting: true}
	hasty = &ground{
		name: "hasty", why: "it needs short timeouts",
		args: []string{"--set", "QUADRILLE_ORDER_TIMEOUT=3s", "--set", "QUADRILLE_GATEWAY_TIMEOUT=500ms"},
	}
	// A lease lasts as long as three timeouts: what a killed process had begun waits for it.
	deadly = &ground{
		name: "deadly", args: []string{"--set", "QUADRILLE_GATEWAY_TIMEOUT=1s", "--set", "QUADRILLE_SMTP_TIMEOUT=1s"},
		why: "it kills processes",
	}
	lasting    = &ground{name: "lasting", args: deadly.args, lasting: true, why: "it kills processes"}
	replicated = &ground{name: "replicated", postgres: "inventory", why: "it starts processes"}
	exposed    = &ground{
		name: "exposed", exposed: true, why: "it takes broker and gateway away and makes handlers fail",
		args: []string{
			"--set", "QUADRILLE_PARK_FIRST_PAUSE=200ms", "--set", "QUADRILLE_PARK_MAX_PAUSE=500ms",
		},
	}
	oldRelease = &ground{
		name: "old release", args: []string{"--without", "order"}, why: "it needs a platform without order",
	}
)

// site is a ground on which something runs.
type site struct {
	*launch.Platform
	cfg launch.Config
	// database is the URL of the service that is on PostgreSQL.
	database string
	// data is the folder of what lasts, empty if nothing does.
	data string
	// broker and gateway are nil, and refused is empty, unless the ground is exposed.
	broker, gateway *outside
	// refused is the file that says which events are refused.
	refused string
	closers []func() error
}

// start starts the platform of a ground. Nothing is left after an error.
func (g *ground) start(ctx context.Context, program string) (_ *site, err error) {
	s := &site{cfg: launch.Config{Path: program, Args: append([]string{"--free-ports"}, g.args...)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if g.postgres != "" {
		server, err := pgserver.Start(ctx, pgserver.Config{})
		if err != nil {
			return nil, err
		}
		s.closers = append(s.closers, server.Stop)
		s.database = server.URL("postgres")
		s.cfg.Args = append(s.cfg.Args, "--database", g.postgres+"="+s.database)
	}
	if g.lasting || g.exposed {
		if s.data, err = os.MkdirTemp("", "quadrille-demo-"); err != nil {
			return nil, fmt.Errorf("temporary folder: %w", err)
		}
		s.closers = append(s.closers, func() error { return os.RemoveAll(s.data) })
	}
	var around client.Addresses
	if g.exposed {
		if around, err = s.expose(ctx, program); err != nil {
			return nil, err
		}
	}
	data := "--ephemeral"
	if g.lasting {
		data = "--data=" + s.data
	}
	s.cfg.Args = append(s.cfg.Args, data)
	if s.Platform, err = launch.Up(ctx, s.cfg); err != nil {
		return nil, fmt.Errorf("start a platform: %w", err)
	}
	if g.exposed {
		addresses := s.Addresses
		addresses.Kafka, addresses.Gateway = around.Kafka, around.Gateway
		s.Client = client.New(addresses)
	}
	return s, nil
}

// expose starts what the services of the platform are to find instead of its own, and returns where.
func (s *site) expose(ctx context.Context, program string) (around client.Addresses, err error) {
	addrs, err := launch.FreeAddresses(2)
	if err != nil {
		return around, err
	}
	around.Kafka, around.Gateway = addrs[0], addrs[1]
	s.broker = newBroker(program, around.Kafka, filepath.Join(s.data, "kafka"))
	s.gateway = newGateway(program, around.Gateway, filepath.Join(s.data, "gateway"))
	for _, o := range []*outside{s.broker, s.gateway} {
		if err := o.start(ctx); err != nil {
			return around, err
		}
		s.closers = append(s.closers, o.stop)
	}
	s.refused = filepath.Join(s.data, "refused")
	s.cfg.Env = append(s.cfg.Env, "QUADRILLE_TEST_REFUSE="+s.refused)
	s.cfg.Args = append(s.cfg.Args, "--set", "QUADRILLE_KAFKA_BROKERS="+around.Kafka,
		"--set", "QUADRILLE_GATEWAY_URL=http://"+around.Gateway)
	return around, nil
}

// again starts the platform once more on what it left behind.
func (s *site) again(ctx context.Context) error {
	p, err := launch.Up(ctx, s.cfg)
	if err != nil {
		return fmt.Errorf("start the platform again: %w", err)
	}
	s.Platform = p
	return nil
}

// close stops the platform, then what it stands on. A nil site has nothing to stop.
func (s *site) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	if s.Platform != nil {
		errs = append(errs, s.Stop(syscall.SIGTERM))
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}
