// Package operate is what an operator asks of the order and payment services: `quadrille rebuild`, `quadrille sagas`
// and `quadrille settle`.
package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

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
var local = client.Addresses{Admin: map[string]string{"order": "127.0.0.1:9081", "payment": "127.0.0.1:9083"}}

func (p Platform) client(ctx context.Context) (*client.Client, error) {
	addresses := local
	if p.Against != "" {
		var err error
		if addresses, err = client.ReadAddresses(ctx, p.Against); err != nil {
			return nil, err
		}
	}
	c := client.New(addresses)
	if p.Token != "" {
		c = c.With("Authorization", "Bearer "+p.Token)
	}
	return c, nil
}

// Operator says who asks for a change.
type Operator struct {
	Operator string `help:"Who does this (default: $$USER)." placeholder:"NAME"`
}

func (o Operator) name() (string, error) {
	name := cmp.Or(o.Operator, os.Getenv("USER"))
	if name == "" {
		return "", ErrOperator
	}
	return name, nil
}

// explain adds to an error what may be done about it.
func explain(service string, c *client.Client, err error) error {
	refusal, refused := errors.AsType[*client.Refusal](err)
	switch {
	case err == nil:
		return nil
	case !refused:
		return fmt.Errorf("%s does not answer at %s: %w; is the platform running? --against names another", service,
			c.Admin[service], err)
	case refusal.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s asks for the token of its admin listener: --token", service)
	}
	var problem struct {
		Title, Detail string
		Errors        []struct{ Field, Message string }
	}
	if json.Unmarshal(refusal.Body, &problem) != nil || problem.Title == "" {
		return fmt.Errorf("%s: %w", service, err)
	}
	text := strings.TrimSuffix(cmp.Or(problem.Detail, problem.Title), ".")
	for _, e := range problem.Errors {
		text += "; " + e.Field + " " + e.Message
	}
	return fmt.Errorf("%s: %s", service, text)
}
