package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = time.Minute
	stopWithin  = 30 * time.Second
	stockOfEach = 1_000_000_000
)

// platform is a running `quadrille up`, its data in a temporary folder.
type platform struct {
	cmd    *exec.Cmd
	exited chan struct{}

	Kafka    string            `json:"kafka"`
	Services map[string]string `json:"services"`
}

// up returns once the platform says that it is ready.
func up(ctx context.Context, binary string) (*platform, error) {
	p := &platform{exited: make(chan struct{})}
	p.cmd = exec.Command(binary, "up", "--ephemeral", "--free-ports", "--json")
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the platform; make build makes it: %w", err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(p.exited)
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			if strings.HasPrefix(scanner.Text(), "{") {
				ready <- scanner.Text()
			}
		}
		_ = p.cmd.Wait() // that it ended is what counts
	}()
	select {
	case line := <-ready:
		if err := json.Unmarshal([]byte(line), p); err != nil {
			return nil, errors.Join(fmt.Errorf("the platform said %q: %w", line, err), p.stop())
		}
		return p, nil
	case <-p.exited:
		return nil, errors.New("the platform ended at once")
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.stop())
	case <-time.After(startWithin):
		return nil, errors.Join(errors.New("the platform is not ready in time"), p.stop())
	}
}

func (p *platform) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return errors.New("the platform did not stop in time")
	}
}

func sku(n int) string { return fmt.Sprintf("bench-%04d", n) }

// stock puts products on sale and waits until order knows them all.
func (p *platform) stock(ctx context.Context, skus int) error {
	for n := range skus {
		url := "http://" + p.Services["inventory"] + "/v1/products/" + sku(n)
		product := map[string]any{"name": sku(n), "price": map[string]any{"amount": 100, "currency": "EUR"}}
		if err := call(ctx, http.MethodPut, url, product, nil); err != nil {
			return err
		}
		quantity := map[string]any{"quantity": stockOfEach}
		if err := call(ctx, http.MethodPost, url+"/restocks", quantity, nil); err != nil {
			return err
		}
	}
	for {
		known, err := p.onSale(ctx)
		if err != nil || known >= skus {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond): // between two looks
		}
	}
}

// onSale counts the products that order knows of ours.
func (p *platform) onSale(ctx context.Context) (known int, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				SKU string `json:"sku"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		url := "http://" + p.Services["order"] + "/v1/products?limit=100"
		if cursor != "" {
			url += "&cursor=" + cursor
		}
		if err := call(ctx, http.MethodGet, url, nil, &page); err != nil {
			return 0, err
		}
		for _, item := range page.Items {
			if strings.HasPrefix(item.SKU, "bench-") {
				known++
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			return known, nil
		}
	}
}

// call sends body, if any, as JSON and decodes the answer into the value that into points to, if any.
func call(ctx context.Context, method, url string, body, into any) error {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, url, res.Status, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}
