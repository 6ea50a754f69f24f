package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Ready is nil once a service is. The error names what it waits for.
func (c *Client) Ready(ctx context.Context, service string) error {
	_, err := c.Call(ctx, http.MethodGet, "http://"+c.Admin[service]+"/readyz", nil, nil)
	return err
}

// Instance is a process of a service.
type Instance struct {
	Service  string `json:"service"`
	Version  string `json:"version"`
	Revision string `json:"revision"`
	PID      int    `json:"pid"`
}

// Instance returns the process that answers for a service.
func (c *Client) Instance(ctx context.Context, service string) (Instance, error) {
	return c.InstanceAt(ctx, c.Admin[service])
}

// InstanceAt returns the process whose admin listener is at addr.
func (c *Client) InstanceAt(ctx context.Context, addr string) (Instance, error) {
	return get[Instance](ctx, c, addr, "/version")
}

// Metric returns the sum of a metric's series, such as quadrille_work_duplicates_total, that have all of the labels,
// such as `partition="1"`. It is 0 if there is none.
func (c *Client) Metric(ctx context.Context, service, name string, labels ...string) (float64, error) {
	return c.MetricAt(ctx, c.Admin[service], name, labels...)
}

// MetricAt is [Client.Metric] of the service whose admin listener is at addr.
func (c *Client) MetricAt(ctx context.Context, addr, name string, labels ...string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	c.addHeaders(req)
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, &Refusal{Method: http.MethodGet, URL: req.URL.String(), Status: res.StatusCode, Body: text}
	}
	return sum(string(text), name, labels)
}

// sum reads Prometheus's text format: name{label="value",…} number.
func sum(text, name string, labels []string) (total float64, err error) {
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if series == strings.TrimSpace(line) { // without labels
			series, value, _ = strings.Cut(series, " ")
		}
		metric, of, _ := strings.Cut(series, "{")
		if metric != name || !hasAll(of, labels) {
			continue
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total += number
	}
	return total, nil
}

func hasAll(of string, labels []string) bool {
	for _, label := range labels {
		if !strings.Contains(of, label) {
			return false
		}
	}
	return true
}
