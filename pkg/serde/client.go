package serde

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

const (
	timeout   = 5 * time.Second
	maxAnswer = 8 * maxSchema // bytes: a schema is quoted once more in JSON
)

// NewClient returns a client of the registry at address, such as http://127.0.0.1:8091 or https://user:password@host.
// It asks nothing yet. A request takes at most 5 s, its answer at most 1 MiB. No error shows the password.
func NewClient(address string) (*sr.Client, error) {
	return NewClientOver(http.DefaultTransport, address)
}

// NewClientOver is [NewClient] with a transport of the caller's.
func NewClientOver(transport http.RoundTripper, address string) (*sr.Client, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, fmt.Errorf("schema registry %q: not a URL such as http://127.0.0.1:8091", address)
	}
	options := []sr.ClientOpt{
		sr.HTTPClient(&http.Client{Timeout: timeout, Transport: bounded{transport}}), sr.UserAgent("quadrille"),
	}
	if user := parsed.User; user != nil {
		password, _ := user.Password()
		options, parsed.User = append(options, sr.BasicAuth(user.Username(), password)), nil
	}
	client, err := sr.NewClient(append(options, sr.URLs(parsed.String()))...)
	if err != nil {
		return nil, fmt.Errorf("schema registry %s: %w", parsed, err)
	}
	return client, nil
}

// bounded ends an answer of more than maxAnswer bytes with an *http.MaxBytesError.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}

// isMissing reports whether the registry itself answered that what was asked for is not there. Another 404, of a proxy
// or a wrong path, has no such code.
func isMissing(err error) bool {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	return ok && answer.StatusCode == http.StatusNotFound && answer.ErrorCode/100 == http.StatusNotFound
}
