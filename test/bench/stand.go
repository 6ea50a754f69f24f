package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/platform/load"
)

// The two that are compared.
const (
	platformName = "platform"
	floorName    = "floor"
)

// setUpWithin bounds what is not timed.
const setUpWithin = 3 * time.Minute

// stand is one of the two, running on the servers, with a gateway and a mail server of its own.
type stand struct {
	name    string
	servers *servers
	// order is where orders are placed, gateway and smtp the outside.
	order, gateway, smtp string
	processes            map[string]*launch.Process
	watcher              *load.Watcher
	watched              chan error
	stopWatching         context.CancelFunc
}

// setUp starts one of the two on empty topics and databases. The caller stops it, after an error too.
func setUp(ctx context.Context, cfg config, s *servers, name string) (*stand, error) {
	x := &stand{name: name, servers: s, processes: make(map[string]*launch.Process)}
	ctx, cancel := context.WithTimeout(ctx, setUpWithin)
	defer cancel()
	if err := s.empty(ctx, cfg); err != nil {
		return x, err
	}
	if err := x.outside(cfg); err != nil {
		return x, err
	}
	start := x.services
	if name == floorName {
		start = x.byHand
	}
	if err := start(ctx, cfg); err != nil {
		return x, fmt.Errorf("start the %s: %w", name, err)
	}
	var err error
	if x.watcher, err = load.Watch(ctx, s.kafka.Addrs()[0], nil); err != nil {
		return x, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stopWatching, x.watched = stop, make(chan error, 1)
	go func() { x.watched <- x.watcher.Run(watching) }()
	return x, nil
}

// stop ends all that setUp started.
func (x *stand) stop() error {
	var errs []error
	if x.stopWatching != nil {
		x.stopWatching()
		errs = append(errs, <-x.watched)
	}
	for _, name := range append([]string{floorName}, append(serviceNames, "gateway", "mail server")...) {
		if p := x.processes[name]; p != nil {
			errs = append(errs, p.Stop(syscall.SIGTERM))
		}
	}
	return errors.Join(errs...)
}

func (x *stand) launch(name, path string, env []string, args ...string) (err error) {
	x.processes[name], err = launch.Start(launch.Config{Path: path, Args: args, Env: env})
	return err
}

// outside starts the gateway and the mail server. They keep nothing, for their disk is not what is measured.
func (x *stand) outside(cfg config) error {
	addrs, err := launch.FreeAddresses(3)
	if err != nil {
		return err
	}
	x.gateway, x.smtp = addrs[0], addrs[1]
	return errors.Join(
		x.launch("gateway", cfg.binary, nil, "gateway", "--addr", x.gateway, "--data", "", "--lifeline"),
		x.launch("mail server", cfg.binary, nil, "mailbox", "--smtp-addr", x.smtp, "--addr", addrs[2], "--data", "",
			"--lifeline"))
}

// services starts the four as production does, and stocks what is ordered.
func (x *stand) services(ctx context.Context, cfg config) error {
	at := client.Addresses{Services: make(map[string]string), Admin: make(map[string]string)}
	for _, name := range serviceNames {
		addrs, err := launch.FreeAddresses(2)
		if err != nil {
			return err
		}
		at.Services[name], at.Admin[name] = addrs[0], addrs[1]
		d := x.servers.databases[name]
		err = x.launch(name, cfg.binary, []string{
			"QUADRILLE_HTTP_ADDR=" + addrs[0], "QUADRILLE_ADMIN_ADDR=" + addrs[1], "QUADRILLE_DATABASE_URL=" + d.URL(),
			"QUADRILLE_KAFKA_BROKERS=" + x.servers.brokers(), "QUADRILLE_REGISTRY_URL=" + x.servers.registryURL(),
			"QUADRILLE_GATEWAY_URL=http://" + x.gateway, "QUADRILLE_SMTP_ADDR=" + x.smtp,
		}, "service", name, "--lifeline")
		if err != nil {
			return err
		}
	}
	c := client.New(at)
	for _, name := range serviceNames {
		err := client.Until(ctx, name+" to be ready", func() error {
			_, err := c.Call(ctx, http.MethodGet, "http://"+at.Admin[name]+"/readyz", nil, nil)
			return err
		})
		if err != nil {
			return err
		}
	}
	x.order = at.Services["order"]
	return stock(ctx, c, cfg.skus)
}

// byHand starts the floor.
func (x *stand) byHand(ctx context.Context, cfg config) (err error) {
	args := []string{
		"-kafka", x.servers.brokers(), "-gateway", x.gateway, "-smtp", x.smtp, "-skus", fmt.Sprint(cfg.skus),
	}
	for _, name := range serviceNames {
		d := x.servers.databases[name]
		args = append(args, "-database", name+"="+d.URL())
	}
	if err := x.launch(floorName, cfg.floor, nil, args...); err != nil {
		return err
	}
	x.order, err = x.processes[floorName].Line(ctx)
	return err
}

// cpu is the processor time that each process has used so far.
func (x *stand) cpu() map[string]time.Duration {
	used := make(map[string]time.Duration)
	x.servers.cpu(used)
	for name, p := range x.processes {
		if _, spent, _, err := processTimes(p.PID()); err == nil {
			used[name] = spent
		}
	}
	if _, spent, _, err := processTimes(os.Getpid()); err == nil {
		used["load and watcher"] = spent
	}
	return used
}

// alive is an error if a process has ended.
func (x *stand) alive() error {
	for name, p := range x.processes {
		select {
		case <-p.Exited():
			return fmt.Errorf("%s ended: %s", name, p.Stderr())
		default:
		}
	}
	return nil
}

func execute(ctx context.Context, path string, args ...string) error {
	if said, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", path, args[0], err, said)
	}
	return nil
}
