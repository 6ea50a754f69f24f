package launch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// Replica is one more process of a service.
type Replica struct {
	*Process
	// Addr and Admin are where its API and its admin listener are.
	Addr, Admin string
}

// Of returns the same platform with another program for its replicas, such as that of another release.
func (p *Platform) Of(path string) *Platform {
	other := *p
	other.path = path
	return &other
}

// Replica starts one more process of a service of the platform on the same database, which `up` was given by
// --database, and returns once it is ready. Env is added to its environment.
func (p *Platform) Replica(ctx context.Context, service, database string, env ...string) (*Replica, error) {
	addrs, err := FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	addr, admin := addrs[0], addrs[1]
	variables := []string{
		"QUADRILLE_HTTP_ADDR=" + addr, "QUADRILLE_ADMIN_ADDR=" + admin, "QUADRILLE_DATABASE_URL=" + database,
		"QUADRILLE_KAFKA_BROKERS=" + p.Kafka, "QUADRILLE_REGISTRY_URL=http://" + p.Registry,
		"QUADRILLE_GATEWAY_URL=http://" + p.Gateway,
	}
	if p.SMTP != "" { // left out of addresses that older programs print
		variables = append(variables, "QUADRILLE_SMTP_ADDR="+p.SMTP)
	}
	process, err := Start(Config{
		Path: p.path, Args: []string{"service", service, "--lifeline"}, Env: append(variables, env...),
	})
	if err != nil {
		return nil, err
	}
	err = client.Until(ctx, "a replica of "+service, func() error {
		select {
		case <-process.Exited():
			return nil // which Stop tells below
		default:
		}
		_, err := p.Call(ctx, http.MethodGet, "http://"+admin+"/readyz", nil, nil)
		return err
	})
	select {
	case <-process.Exited():
		err = fmt.Errorf("the replica of %s ended", service)
	default:
	}
	if err != nil {
		return nil, errors.Join(err, process.Stop(syscall.SIGTERM))
	}
	return &Replica{Process: process, Addr: addr, Admin: admin}, nil
}
