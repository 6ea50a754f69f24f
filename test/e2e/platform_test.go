// Package e2e tests what a user starts: the built program, its processes, its HTTP APIs.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 2 * time.Minute

// binary builds the program once.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "quadrille-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "quadrille")
	out, err := exec.Command("go", "build", "-o", path, "github.com/quadrille-platform/quadrille/cmd/quadrille").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// platform is a running `quadrille up`.
type platform struct {
	cmd    *exec.Cmd
	began  time.Time
	exited chan struct{} // closed when it has
	err    error         // of Wait; read after exited
	stderr *lockedBuffer
	addresses
}

type addresses struct {
	Kafka, Registry, Gateway string
	Services, Admin          map[string]string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// up starts the platform on free ports and returns once it says that it is ready. It is stopped when the test ends.
func up(t *testing.T, args ...string) *platform {
	t.Helper()
	return launch(t, append([]string{"--free-ports", "--json"}, args...)...)
}

// launch starts `quadrille up --json` with args.
func launch(t *testing.T, args ...string) *platform {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{exited: make(chan struct{}), stderr: &lockedBuffer{}}
	p.cmd = exec.Command(path, append([]string{"up"}, args...)...)
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make(chan string, 1)
	go func() {
		scanner := bufio.NewScanner(stdout)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			if strings.HasPrefix(scanner.Text(), "{") {
				line <- scanner.Text()
			}
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() { p.stop(t, syscall.SIGTERM) })
	select {
	case text := <-line:
		if err := json.Unmarshal([]byte(text), &p.addresses); err != nil {
			t.Fatalf("up said %q: %v", text, err)
		}
	case <-p.exited:
		t.Fatalf("up ended: %v\n%s", p.err, p.stderr)
	case <-time.After(patience):
		t.Fatalf("up is not ready\n%s", p.stderr)
	}
	return p
}

// stop signals it, if it still runs, and waits for its end.
func (p *platform) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	select {
	case <-p.exited:
		return
	default:
	}
	_ = p.cmd.Process.Signal(signal) // it may have just ended
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		t.Errorf("up did not stop\n%s", p.stderr)
	}
}

// eventually calls try until it returns nil.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(20 * time.Millisecond) // between two looks
	}
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: time.Minute}

// call sends body as JSON and decodes the answer into the value pointed to by into, if it is not nil.
func call(method, url string, header map[string]string, body, into any) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, url, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return res, err
	}
	if res.StatusCode >= 300 {
		return res, fmt.Errorf("%s %s: %s: %s", method, url, res.Status, data)
	}
	if into == nil {
		return res, nil
	}
	return res, json.Unmarshal(data, into)
}

type order struct {
	ID, Status, Reason string
	Version            int64
	Completed          bool
	Steps              []struct{ Name, Status string }
	Total              struct {
		Amount   int64
		Currency string
	}
}

type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func placeAt(addr, method string, lines ...line) (order, error) {
	var o order
	_, err := call(http.MethodPost, "http://"+addr+"/v1/orders", nil, map[string]any{
		"customer_id": "ada", "email": "ada@example.com", "payment_method": method, "lines": lines,
	}, &o)
	return o, err
}

// place places an order that must be accepted.
func (p *platform) place(t *testing.T, method string, lines ...line) order {
	t.Helper()
	o, err := placeAt(p.Services["order"], method, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// completed waits until the saga of an order has ended.
func (p *platform) completed(t *testing.T, id string) order {
	t.Helper()
	var o order
	eventually(t, "order "+id, func() error {
		o = order{}
		if _, err := call(http.MethodGet, "http://"+p.Services["order"]+"/v1/orders/"+id, nil, nil, &o); err != nil {
			return err
		}
		if !o.Completed {
			return fmt.Errorf("is %s (%s) with steps %v", o.Status, o.Reason, o.Steps)
		}
		return nil
	})
	return o
}

// stock puts a product with a quantity in stock and waits until order knows it.
func (p *platform) stock(t *testing.T, sku string, quantity int64) {
	t.Helper()
	base := "http://" + p.Services["inventory"] + "/v1/products/" + sku
	product := map[string]any{"name": sku, "price": map[string]any{"amount": 100, "currency": "EUR"}}
	if _, err := call(http.MethodPut, base, nil, product, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := call(http.MethodPost, base+"/restocks", nil, map[string]any{"quantity": quantity}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "order knows "+sku, func() error {
		var list struct{ Items []struct{ SKU string } }
		url := "http://" + p.Services["order"] + "/v1/products?limit=100"
		if _, err := call(http.MethodGet, url, nil, nil, &list); err != nil {
			return err
		}
		for _, item := range list.Items {
			if item.SKU == sku {
				return nil
			}
		}
		return fmt.Errorf("lists %d products without it", len(list.Items))
	})
}

// levels of a product.
func (p *platform) levels(t *testing.T, sku string) (levels struct{ Available, Reserved, Sold int64 }) {
	t.Helper()
	if _, err := call(http.MethodGet, "http://"+p.Services["inventory"]+"/v1/products/"+sku, nil, nil, &levels); err != nil {
		t.Fatal(err)
	}
	return levels
}
