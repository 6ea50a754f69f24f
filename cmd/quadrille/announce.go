package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// announce says where everything is, once all of it is ready.
func announce(to io.Writer, addrs addresses, running []string, c upCommand) error {
	if c.JSON {
		return json.NewEncoder(to).Encode(addrs)
	}
	fmt.Fprintln(to)
	for _, name := range running {
		fmt.Fprintf(to, "  %-12s http://%-18s docs http://%s/docs   admin http://%s\n",
			name, addrs.Services[name], addrs.Services[name], addrs.Admin[name])
	}
	fmt.Fprintf(to, "  %-12s http://%-18s ledger http://%s/v1/ledger\n", "gateway", addrs.Gateway, addrs.Gateway)
	fmt.Fprintf(to, "  %-12s http://%-18s the page of all mails; SMTP %s\n", "mailbox", addrs.Mail, addrs.SMTP)
	fmt.Fprintf(to, "  %-12s http://%s\n", "registry", addrs.Registry)
	fmt.Fprintf(to, "  %-12s %s\n", "kafka", addrs.Kafka)
	fmt.Fprintf(to, "  %-12s %s\n", "data", c.Data)
	if !slices.Contains(running, "order") {
		return nil
	}
	rest := "the data stays"
	if c.Ephemeral {
		rest = "the data goes with it"
	}
	_, err := fmt.Fprintf(to, `
Ready. Place an order:

  curl -s http://%s/v1/orders -H 'Content-Type: application/json' -d '{
    "customer_id": "ada", "email": "ada@example.com", "payment_method": "tok_visa",
    "lines": [{"sku": "tea-001", "quantity": 2}]}'

Ctrl-C stops it; %s.
`, addrs.Services["order"], rest)
	return err
}

// printEnvironment of a service that is left out, to be pasted into a shell.
func printEnvironment(to io.Writer, name string, variables map[string]string) {
	fmt.Fprintf(to, "%s is left out. Start it elsewhere with\n\n", name)
	for _, k := range keys(variables) {
		fmt.Fprintf(to, "export %s='%s'\n", k, variables[k])
	}
	fmt.Fprintf(to, "quadrille service %s\n\n", name)
}
