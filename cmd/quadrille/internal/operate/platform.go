// Package operate is what an operator asks of the order and payment services: `quadrille rebuild`, `quadrille sagas`
// and `quadrille settle`. What these have in common with `quadrille deadletter` is here too.
package operate

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// ErrOperator says that the command line lacks --operator, and the environment USER.
var ErrOperator = errors.New("nobody knows who you are: give --operator")

// Platform says where the services are.
type Platform struct {
	Against string `help:"Addresses of the platform: the file, the URL or the text that 'quadrille up --json' printed (default: the documented ones)." env:"QUADRILLE_AGAINST" placeholder:"FILE|URL|JSON" predictor:"file"`
	Token   string `help:"Token of the admin listeners, if they ask for one." env:"QUADRILLE_ADMIN_TOKEN" placeholder:"TOKEN"`
}

// local are the documented admin addresses.
var local = client.Addresses{Admin: map[string]string{
	"order": "127.0.0.1:9081", "inventory": "127.0.0.1:9082", "payment": "127.0.0.1:9083",
	"notification": "127.0.0.1:9084",
}}

// Client of the platform. It has reached nothing yet.
func (p Platform) Client(ctx context.Context) (*client.Client, error) {
	addresses := local
	if p.Against != "" {
		var err error
		if addresses, err = client.ReadAddresses(ctx, p.Against); err != nil {
			return nil, err
		}
	}
	return client.New(addresses).WithToken(p.Token), nil
}

// Operator says who asks for a change.
type Operator struct {
	By string `name:"operator" help:"Who does this (default: $$USER)." placeholder:"NAME"`
}

// Known returns the operator's name. The error is ErrOperator if there is none.
func (o Operator) Known() (string, error) {
	name := cmp.Or(o.By, os.Getenv("USER"))
	if name == "" {
		return "", ErrOperator
	}
	return name, nil
}
