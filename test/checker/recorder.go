package checker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// Sent is one request that asks for a change, and its answer.
type Sent struct {
	// Method and Path, such as POST /v1/orders.
	Method, Path string
	// Key is the Idempotency-Key, empty if it had none.
	Key  string
	Body []byte
	// Status is 0 if no answer came.
	Status int
	// Resource is what the Location of the answer names, such as the order's id.
	Resource string
}

// Recorder notes what passes through it. Clients that share one can be judged by [Check].
type Recorder struct {
	// Base makes the requests. Defaults to http.DefaultTransport.
	Base http.RoundTripper

	mu   sync.Mutex
	sent []Sent
}

// RoundTrip implements [http.RoundTripper].
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	base := r.Base
	if base == nil {
		base = http.DefaultTransport
	}
	if req.Method != http.MethodPost && req.Method != http.MethodPut {
		return base.RoundTrip(req)
	}
	s := Sent{Method: req.Method, Path: req.URL.Path, Key: req.Header.Get("Idempotency-Key")}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		s.Body = body
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	// Noted before it is known what becomes of it: whoever looks meanwhile sees a request without an answer.
	at := r.note(s)
	res, err := base.RoundTrip(req)
	if err == nil {
		location := res.Header.Get("Location")
		r.answered(at, res.StatusCode, location[strings.LastIndexByte(location, '/')+1:])
	}
	return res, err
}

// Sent returns what has passed so far, never nil.
func (r *Recorder) Sent() []Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Sent{}, r.sent...)
}

func (r *Recorder) note(s Sent) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, s)
	return len(r.sent) - 1
}

func (r *Recorder) answered(at, status int, resource string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[at].Status, r.sent[at].Resource = status, resource
}

// purchase is what tells orders apart that nobody was told of.
type purchase struct {
	Customer string        `json:"customer_id"`
	Lines    []client.Line `json:"lines"`
}

// String is the same for the same purchase.
func (p purchase) String() string {
	quantities := make(map[string]int64)
	var skus []string
	for _, l := range p.Lines {
		if quantities[l.SKU] == 0 {
			skus = append(skus, l.SKU)
		}
		quantities[l.SKU] += l.Quantity
	}
	slices.Sort(skus)
	var b strings.Builder
	fmt.Fprintf(&b, "%q of", p.Customer)
	for _, sku := range skus {
		fmt.Fprintf(&b, " %d %s", quantities[sku], sku)
	}
	return b.String()
}

// purchase returns what a request for an order asks for; nothing of a body that is none.
func (s Sent) purchase() (p purchase) {
	_ = json.Unmarshal(s.Body, &p)
	return p
}

type putProduct struct {
	Name  string       `json:"name"`
	Price client.Money `json:"price"`
}

// puts returns the product that a request puts.
func (s Sent) puts() (sku string, put putProduct, ok bool) {
	sku, ok = strings.CutPrefix(s.Path, "/v1/products/")
	if !ok || s.Method != http.MethodPut {
		return "", put, false
	}
	return sku, put, json.Unmarshal(s.Body, &put) == nil
}

// restocks returns the sku and the quantity of a request to restock.
func (s Sent) restocks() (sku string, quantity int64, ok bool) {
	sku, ok = strings.CutSuffix(strings.TrimPrefix(s.Path, "/v1/products/"), "/restocks")
	if !ok || s.Method != http.MethodPost {
		return "", 0, false
	}
	var body struct {
		Quantity int64 `json:"quantity"`
	}
	return sku, body.Quantity, json.Unmarshal(s.Body, &body) == nil
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return bytes.Equal(a, b)
	}
	return reflect.DeepEqual(x, y)
}
