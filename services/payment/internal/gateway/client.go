// Package gateway is the client of the payment gateway. It tells what the gateway has answered for good from what it
// has not: a timeout, a broken connection or a status other than success, decline and refusal is an error, which says
// that the outcome is unknown and the call is to be made again.
package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxBody = 64 << 10 // bytes of an answer
	// maxName bounds references, payment methods and idempotency keys at the gateway, in bytes.
	maxName = 255
)

// ErrUnknown is wrapped by every error of Perform: whether the gateway did what it was asked is not known.
var ErrUnknown = errors.New("the gateway gave no final answer")

// Config of a Client.
type Config struct {
	// URL is where the gateway is, such as http://127.0.0.1:8090.
	URL string
	// Timeout bounds each request. A call is two of them at most. Defaults to 5 s.
	Timeout time.Duration
	// Connections is how many calls are made at a time, each of which keeps its connection. Defaults to 64.
	Connections int
	// Wrap changes the transport, to trace and measure requests. Defaults to none.
	Wrap func(http.RoundTripper) http.RoundTripper
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Connections == 0 {
		c.Connections = 64
	}
	if c.Wrap == nil {
		c.Wrap = func(t http.RoundTripper) http.RoundTripper { return t }
	}
	return c
}

// Client makes calls to the gateway. It is safe for concurrent use.
type Client struct {
	intents string // the URL of all intents
	http    *http.Client
	idle    func()
}

// New returns a Client that has not reached the gateway yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("the gateway's address must be a URL such as http://127.0.0.1:8090")
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConns:        cfg.Connections,
		MaxIdleConnsPerHost: cfg.Connections,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	return &Client{
		intents: strings.TrimSuffix(base.String(), "/") + "/v1/payment_intents",
		http: &http.Client{
			Timeout: cfg.Timeout, Transport: cfg.Wrap(transport),
			// A redirected POST would lose its body: no gateway of ours redirects.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		idle: transport.CloseIdleConnections,
	}, nil
}

// Close closes the connections that no call uses.
func (c *Client) Close() { c.idle() }

// post sends a request and decodes what comes back. The errors name neither the body sent nor the one received, which
// hold the payment token.
func (c *Client) post(ctx context.Context, address, key string, body any) (reply, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(encoded))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, response.Body, maxBody) // what is read to its end keeps the connection
		_ = response.Body.Close()
	}()
	return readReply(response)
}

// isName reports whether the gateway can take text as a reference, payment method or idempotency key.
func isName(text string) bool {
	if text == "" || len(text) > maxName {
		return false
	}
	for _, c := range []byte(text) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

func unknown(operation string, err error) error {
	return fmt.Errorf("%s: %w: %w", operation, ErrUnknown, err)
}
