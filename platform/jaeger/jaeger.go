// Package jaeger reads traces back from Jaeger, by the API that its own pages use, and makes trees of them.
package jaeger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	timeout = 10 * time.Second
	// maxTraces is how many traces one search returns at most.
	maxTraces = 20
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 20
)

// ErrAway is wrapped by an error if no Jaeger answers at the address.
var ErrAway = errors.New("no Jaeger answers")

// Client of a Jaeger. It is safe for concurrent use.
type Client struct {
	url  string
	http *http.Client
}

// New returns a Client of the Jaeger whose pages are at the URL, such as http://127.0.0.1:16686. It has reached nothing
// yet.
func New(address string) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the address of Jaeger is %q; it must be a URL such as http://127.0.0.1:16686", address)
	}
	return &Client{url: strings.TrimSuffix(address, "/"), http: &http.Client{Timeout: timeout}}, nil
}

// Find returns the traces in which a span of the service has all the attributes, in the order in which they began: no
// more than 20, of the last two days.
func (c *Client) Find(ctx context.Context, service string, attributes map[string]string) ([]Trace, error) {
	tags, err := json.Marshal(attributes)
	if err != nil {
		return nil, fmt.Errorf("encode the attributes: %w", err)
	}
	now := time.Now()
	query := url.Values{
		"service": {service}, "tags": {string(tags)}, "limit": {strconv.Itoa(maxTraces)},
		"start": {strconv.FormatInt(now.Add(-48*time.Hour).UnixMicro(), 10)},
		"end":   {strconv.FormatInt(now.UnixMicro(), 10)},
	}
	return c.get(ctx, "/api/traces?"+query.Encode())
}

// Read returns the trace with the id, which has no spans if Jaeger knows none of it.
func (c *Client) Read(ctx context.Context, id string) (Trace, error) {
	traces, err := c.get(ctx, "/api/traces/"+url.PathEscape(id))
	if err != nil || len(traces) == 0 {
		return Trace{ID: id}, err
	}
	return traces[0], nil
}

func (c *Client) get(ctx context.Context, path string) ([]Trace, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrAway, c.url, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrAway, c.url, err)
	}
	var body answer
	known := json.Unmarshal(data, &body) == nil
	switch {
	case response.StatusCode == http.StatusNotFound && known && len(body.Errors) > 0: // of a trace
		return nil, nil
	case response.StatusCode != http.StatusOK && known && len(body.Errors) > 0:
		return nil, fmt.Errorf("the Jaeger at %s refuses: %s", c.url, body.Errors[0].Message)
	case response.StatusCode != http.StatusOK || !known:
		return nil, fmt.Errorf("%w at %s: what listens there says %s", ErrAway, c.url, response.Status)
	}
	return body.traces(), nil
}
