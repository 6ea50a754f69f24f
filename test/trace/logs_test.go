package trace

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// What a customer has told us, and nobody else needs to know.
const address = "grace.hopper@customer.example"

// secrets must be in no log. The tokens are those of the test; a real one is as long as it is secret.
var secrets = []string{address, "grace.hopper", "tok_visa", "tok_declined", "tok_flaky", "tok_slow", "tok_timeout"}

// logged checks that log lines name the trace, the request and the event that they are about, and nothing of what must
// not be known. All logs of the platform are read, those of the tests before it too.
func (p *platform) logged(t *testing.T) {
	var orders []client.Order
	for _, method := range []string{"tok_visa", "tok_declined", "tok_flaky"} {
		orders = append(orders, p.place(t, address, method))
	}
	// What is refused is logged as well, if it is ours; the caller's own mistakes are not repeated.
	bad := client.Buy("tok_visa", client.Line{SKU: sku, Quantity: 1})
	bad.Email = address + " <" + address + ">"
	if _, err := p.Place(t.Context(), bad); err == nil {
		t.Error("an order for no address was accepted")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, o := range orders {
		if _, err := p.Completed(ctx, o.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Cancel(ctx, orders[0].ID, "A word to "+address); err != nil {
		t.Fatal(err)
	}

	p.traced(t, orders[1].ID, func(trace jaeger.Trace) (err error) {
		for _, service := range []string{"order", "inventory", "payment", "notification"} {
			err = errors.Join(err, p.names(service, orders[1].ID, trace))
		}
		return err
	})
	files, err := filepath.Glob(filepath.Join(p.logs, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs in %s: %v", p.logs, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if at := bytes.Index(text, []byte(secret)); at >= 0 {
				t.Errorf("%s holds %s: …%s…", file, secret, text[max(0, at-200):min(len(text), at+200)])
			}
		}
	}
	if strings.Contains(p.Stderr(), address) {
		t.Errorf("the platform itself holds %s: %s", address, p.Stderr())
	}
}

// names is nil if the log of a service has a line about a message of the order, with the ids of its trace.
func (p *platform) names(service, key string, trace jaeger.Trace) error {
	file, err := os.Open(filepath.Join(p.logs, service+".log"))
	if err != nil {
		return err
	}
	defer file.Close()
	spans := make(map[string]bool)
	for _, s := range trace.Spans {
		spans[s.ID] = true
	}
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var line struct {
			Msg, Key    string
			Trace       string `json:"trace_id"`
			Span        string `json:"span_id"`
			Correlation string `json:"correlation_id"`
			Event       string `json:"event_id"`
		}
		if json.Unmarshal(scanner.Bytes(), &line) != nil || line.Key != key {
			continue // what the supervisor says is no JSON
		}
		if line.Trace == trace.ID && spans[line.Span] && line.Correlation != "" && line.Event != "" {
			return nil
		}
	}
	return fmt.Errorf("%s names no trace, span, correlation and event of order %s", service, key)
}
