package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"
)

const (
	// probeWithin bounds a question whether somebody is well.
	probeWithin = 3 * time.Second
	// probeSays is how much of an answer is repeated, in bytes.
	probeSays = 1 << 10
)

// Probe asks url whether all is well there. The error holds what it answers if it is not.
func Probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(answer.Body, probeSays)) // the status has to do without
	return fmt.Errorf("healthcheck: %s answers %s: %s", url, answer.Status, bytes.TrimSpace(said))
}

// Readiness is the url of the probe at an admin listener, as this machine reaches it: one that listens on every address
// is asked on loopback.
func Readiness(adminAddr string) (string, error) {
	host, port, err := net.SplitHostPort(adminAddr)
	if err != nil {
		return "", fmt.Errorf("healthcheck: the admin listener is %q, which is not host:port", adminAddr)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/readyz", nil
}

// healthcheck is what a service's program does when it is asked for that: an image without a shell has nothing else to
// ask by. It returns the exit status.
func healthcheck[C any, P interface {
	*C
	admin() string
}]() int {
	var cfg C
	err := Load(&cfg)
	if defaults, ok := any(cfg).(interface{ WithDefaults() C }); ok {
		cfg = defaults.WithDefaults()
	}
	url, addrErr := Readiness(P(&cfg).admin())
	if err = errors.Join(err, addrErr); err == nil {
		err = Probe(context.Background(), url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		return 1
	}
	return 0
}

func (c *Config) admin() string { return c.AdminAddr }
