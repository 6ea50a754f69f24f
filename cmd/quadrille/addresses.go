package main

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// addresses of this platform, all on 127.0.0.1 unless told otherwise.
type addresses client.Addresses

const host = "127.0.0.1"

func defaultAddresses() addresses {
	a := addresses{
		Kafka: host + ":9092", Registry: host + ":8091", Gateway: host + ":8090",
		SMTP: host + ":1025", Mail: host + ":8025",
		Services: make(map[string]string), Admin: make(map[string]string),
	}
	for _, e := range services {
		a.Services[e.name] = net.JoinHostPort(host, strconv.Itoa(e.port))
		a.Admin[e.name] = net.JoinHostPort(host, strconv.Itoa(e.port+1000))
	}
	return a
}

// freeAddresses takes ports that are free now.
func freeAddresses() (addresses, error) {
	a := defaultAddresses()
	parts := keys(a.parts())
	free, err := launch.FreeAddresses(len(parts))
	if err != nil {
		return a, err
	}
	given := make(map[string]string)
	for i, part := range parts {
		given[part] = free[i]
	}
	return a, a.override(given)
}

// parts gives each address its name on the command line.
func (a *addresses) parts() map[string]string {
	parts := map[string]string{
		"kafka": a.Kafka, "registry": a.Registry, "gateway": a.Gateway, "smtp": a.SMTP, "mail": a.Mail,
	}
	for _, name := range serviceNames() {
		parts[name], parts[name+"-admin"] = a.Services[name], a.Admin[name]
	}
	return parts
}

// override replaces addresses by those given for their parts.
func (a *addresses) override(given map[string]string) error {
	known := a.parts()
	for part, addr := range given {
		if _, ok := known[part]; !ok {
			return fmt.Errorf("no part is called %q; there are %s", part, strings.Join(keys(known), ", "))
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("the address of %s is %q, which is not host:port", part, addr)
		}
		name, admin := strings.CutSuffix(part, "-admin")
		switch {
		case part == "kafka":
			a.Kafka = addr
		case part == "registry":
			a.Registry = addr
		case part == "gateway":
			a.Gateway = addr
		case part == "smtp":
			a.SMTP = addr
		case part == "mail":
			a.Mail = addr
		case admin:
			a.Admin[name] = addr
		default:
			a.Services[name] = addr
		}
	}
	return nil
}

// checkFree names the first port that is taken, what wants it and the cure, before anything starts.
func (a *addresses) checkFree(without []string) error {
	parts := a.parts()
	for _, part := range keys(parts) {
		if slices.Contains(without, strings.TrimSuffix(part, "-admin")) {
			continue
		}
		l, err := net.Listen("tcp", parts[part])
		if err != nil {
			return fmt.Errorf("%s cannot listen on %s: %w; stop the program that listens there, or give %s another "+
				"address with --addr %s=HOST:PORT", part, parts[part], err, part, part)
		}
		_ = l.Close() // held only to see that it is free
	}
	return nil
}
