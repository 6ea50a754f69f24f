// Package client talks to a running platform over HTTP as its users do: it places orders and looks at what became of
// them. Tests, benchmarks and the demonstration use it. It knows the JSON of the APIs and none of the services' code.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

const (
	timeout = time.Minute // of a request; a long poll takes half of it at most
	// connections kept to one address, so that a crowd of buyers does not open one each time.
	connections = 256
)

// Client of a running platform. It is safe for concurrent use.
type Client struct {
	Addresses
	header map[string]string
	token  string
	http   *http.Client
}

// New returns a Client that has reached nothing yet.
func New(addresses Addresses) *Client {
	return NewOver(&http.Transport{MaxIdleConnsPerHost: connections}, addresses)
}

// NewOver is [New] with a transport of the caller's.
func NewOver(transport http.RoundTripper, addresses Addresses) *Client {
	return &Client{Addresses: addresses, http: &http.Client{Timeout: timeout, Transport: transport}}
}

// At returns a Client that finds the service at another address, such as that of a second replica.
func (c *Client) At(service, addr string) *Client {
	other := *c
	other.Services = maps.Clone(c.Services)
	if other.Services == nil {
		other.Services = make(map[string]string)
	}
	other.Services[service] = addr
	return &other
}

// With returns a Client that sends a header with each request, such as traceparent or Idempotency-Key.
func (c *Client) With(header, value string) *Client {
	other := *c
	other.header = maps.Clone(c.header)
	if other.header == nil {
		other.header = make(map[string]string)
	}
	other.header[header] = value
	return &other
}

// WithToken returns a Client that shows the token to the admin listeners of its addresses, and to nobody else.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// addHeaders adds what goes with each request.
func (c *Client) addHeaders(req *http.Request) {
	if c.token != "" {
		for _, addr := range c.Admin {
			if addr == req.URL.Host {
				req.Header.Set("Authorization", "Bearer "+c.token)
			}
		}
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
}

// Refusal is an answer that is no success.
type Refusal struct {
	Method, URL string
	Status      int
	// Body is what it said.
	Body []byte
}

// Error holds the whole answer.
func (r *Refusal) Error() string {
	said := bytes.TrimSpace(r.Body)
	return fmt.Sprintf("%s %s: %d %s: %s", r.Method, r.URL, r.Status, http.StatusText(r.Status), said)
}

// StatusOf returns the HTTP status of a *Refusal, 0 of any other error.
func StatusOf(err error) int {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Status
	}
	return 0
}

// Answer is what came beside the body.
type Answer struct {
	StatusCode int
	Header     http.Header
}

// Call sends body, if it is not nil, as JSON and decodes the answer into the value that into points to, if it is not
// nil. A status of 300 or more is a *Refusal. On return the Answer is nil if and only if none came.
func (c *Client) Call(ctx context.Context, method, url string, body, into any) (*Answer, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s %s: %w", method, url, err)
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.addHeaders(req)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer := &Answer{res.StatusCode, res.Header}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", method, url, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return answer, &Refusal{Method: method, URL: url, Status: res.StatusCode, Body: data}
	}
	if into == nil {
		return answer, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return answer, fmt.Errorf("%s %s answered %q: %w", method, url, data, err)
	}
	return answer, nil
}

// get returns what is at a path of addr.
func get[T any](ctx context.Context, c *Client, addr, path string) (T, error) {
	var found T
	_, err := c.Call(ctx, http.MethodGet, "http://"+addr+path, nil, &found)
	return found, err
}
