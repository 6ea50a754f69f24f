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
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	maxBody = 64 << 10 // bytes of an answer
	// maxName bounds references, payment methods and idempotency keys at the gateway, in bytes.
	maxName = 255
)

// ErrUnknown is wrapped by every error of Perform: whether the gateway did what it was asked is not known.
var ErrUnknown = errors.New("the gateway gave no final answer")

// ErrAway is wrapped by an error of Perform if the gateway as a whole is away: it cannot be reached, does not answer in
// time or fails, and has answered no other request of the call. It wraps ErrUnknown.
var ErrAway = fmt.Errorf("%w: it is away", ErrUnknown)

const (
	// maxTries is how often a request is made within one call, if it fails so soon that there is time for another.
	maxTries   = 3
	firstPause = 50 * time.Millisecond
)

// Config of a Client.
type Config struct {
	// URL is where the gateway is, such as http://127.0.0.1:8090.
	URL string
	// Timeout bounds each request. A call is two of them at most, see [CallTime]. Defaults to 5 s.
	Timeout time.Duration
	// Connections is how many calls are made at a time, each of which keeps its connection. Defaults to 64.
	Connections int
	// Dial connects to the gateway. Defaults to net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
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
	retry   time.Duration
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
		DialContext:         cfg.Dial,
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
		retry: retryTime(cfg.Timeout),
		idle:  transport.CloseIdleConnections,
	}, nil
}

// CallTime is the longest that a call takes whose requests have the timeout: each of two requests has a timeout of its
// own, and a quarter of one within which it may be begun again.
func CallTime(timeout time.Duration) time.Duration { return 2 * (timeout + retryTime(timeout)) }

func retryTime(timeout time.Duration) time.Duration { return timeout / 4 }

// Close closes the connections that no call uses.
func (c *Client) Close() { c.idle() }

// post makes a request, again if it failed soon: each may be repeated without harm.
func (c *Client) post(ctx context.Context, address, key string, body any) (reply, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = firstPause
	return backoff.Retry(ctx, func() (reply, error) {
		answer, err := c.send(ctx, address, key, body)
		if err != nil && !isAway(err) {
			err = backoff.Permanent(err)
		}
		return answer, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(c.retry))
}

// send sends a request and decodes what comes back. The errors name neither the body sent nor the one received, which
// hold the payment token.
func (c *Client) send(ctx context.Context, address, key string, body any) (reply, error) {
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
		return reply{}, awayError{err}
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

// unknown returns the error of a call. Answered: the gateway has answered another of its requests.
func unknown(operation string, answered bool, err error) error {
	if !answered && isAway(err) {
		return fmt.Errorf("%s: %w: %w", operation, ErrAway, err)
	}
	return fmt.Errorf("%s: %w: %w", operation, ErrUnknown, err)
}

// awayError is that of a request which the gateway did not answer, or answered by failing.
type awayError struct{ error }

func (e awayError) Unwrap() error { return e.error }

func isAway(err error) bool {
	_, away := errors.AsType[awayError](err)
	return away || errors.Is(err, context.DeadlineExceeded)
}
