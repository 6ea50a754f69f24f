package parts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// Toxiproxy stands in the network between clients and parts.
type Toxiproxy struct {
	// Addr is where its API answers.
	Addr    string
	process *process
}

// StartToxiproxy starts one and returns once it answers. Logs is the folder of what it says.
func StartToxiproxy(ctx context.Context, store Store, logs string) (*Toxiproxy, error) {
	path, err := store.Toxiproxy(ctx)
	if err != nil {
		return nil, err
	}
	addrs, err := launch.FreeAddresses(1)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return nil, fmt.Errorf("address of Toxiproxy: %w", err)
	}
	t := &Toxiproxy{Addr: addrs[0]}
	t.process, err = start("Toxiproxy", filepath.Join(logs, "toxiproxy.log"), []string{"LOG_LEVEL=error"},
		path, "-host", host, "-port", port)
	if err != nil {
		return nil, err
	}
	err = t.process.ready(ctx, func(ctx context.Context) error { return answers(ctx, "http://"+t.Addr+"/version") })
	if err != nil {
		_ = t.Stop() // the first error says enough
		return nil, err
	}
	return t, nil
}

// Stop stops it, and with it all that goes through it.
func (t *Toxiproxy) Stop() error { return t.process.stop() }

// Proxy makes a proxy of a part and returns where it listens.
func (t *Toxiproxy) Proxy(ctx context.Context, name, upstream string) (string, error) {
	addrs, err := launch.FreeAddresses(1)
	if err != nil {
		return "", err
	}
	return addrs[0], t.post(ctx, "/proxies", map[string]any{
		"name": name, "listen": addrs[0], "upstream": upstream, "enabled": true,
	})
}

// Cut refuses connections through a proxy and breaks those that there are.
func (t *Toxiproxy) Cut(ctx context.Context, name string) error {
	return t.post(ctx, "/proxies/"+name, map[string]any{"enabled": false})
}

// Silence lets connections be, and nothing through them in either direction: not even that they are closed.
func (t *Toxiproxy) Silence(ctx context.Context, name string) error {
	for _, stream := range []string{"upstream", "downstream"} {
		if err := t.toxic(ctx, name, "timeout", stream, map[string]any{"timeout": 0}); err != nil {
			return err
		}
	}
	return nil
}

// Delay holds what goes through a proxy back, in both directions.
func (t *Toxiproxy) Delay(ctx context.Context, name string, latency, jitter time.Duration) error {
	for _, stream := range []string{"upstream", "downstream"} {
		attributes := map[string]any{"latency": latency.Milliseconds(), "jitter": jitter.Milliseconds()}
		if err := t.toxic(ctx, name, "latency", stream, attributes); err != nil {
			return err
		}
	}
	return nil
}

func (t *Toxiproxy) toxic(ctx context.Context, name, kind, stream string, attributes map[string]any) error {
	return t.post(ctx, "/proxies/"+name+"/toxics", map[string]any{
		"name": kind + "-" + stream, "type": kind, "stream": stream, "attributes": attributes,
	})
}

// Mend lets all proxies work as if nothing had been.
func (t *Toxiproxy) Mend(ctx context.Context) error { return t.post(ctx, "/reset", nil) }

func (t *Toxiproxy) post(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("ask Toxiproxy: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.Addr+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("ask Toxiproxy: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask Toxiproxy: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, lastBytes))
		return fmt.Errorf("Toxiproxy refuses %s: %s: %s", path, answer.Status, said)
	}
	return nil
}
