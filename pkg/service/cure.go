package service

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// refused reports whether waiting alone does not cure err: somebody has to change a password, an address or a
// certificate. It is waited for all the same, for secrets are rotated under running processes, but is an error in the
// log, not a warning.
func refused(err error) bool {
	_, is := errors.AsType[registryRefusal](err)
	return is || sqldb.IsRefused(err) || kafka.IsRefused(err)
}

// registryRefusal is an answer of the registry's address that will stay the same.
type registryRefusal struct{ error }

// Unwrap returns the error itself.
func (r registryRefusal) Unwrap() error { return r.error }

// of names the variable that says where a part is.
func of(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%s: %w", Prefix, variable, err)
}

// registryCure names the cause and the cure of what serde.New failed with.
func (c Config) registryCure(err error) error {
	if !errors.Is(err, serde.ErrUnavailable) {
		return err // it was asked, and err says what it lacks
	}
	address, parsing := url.Parse(c.RegistryURL)
	if parsing != nil {
		return err // Validate has named it
	}
	says := func(text string) error {
		return fmt.Errorf("the schema registry at %s %s: %w", address.Host, text, err)
	}
	answer, answered := errors.AsType[*sr.ResponseError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case untrusted:
		err = registryRefusal{says("shows a certificate that is not trusted; have this machine trust its authority")}
	case errors.Is(err, http.ErrSchemeMismatch):
		err = registryRefusal{says("speaks no TLS; begin the url with http://")}
	case !answered && isForeign(err):
		err = foreign(address.Host, "what it answers is no JSON of a registry")
	case !answered:
		err = says("cannot be reached; start it, or correct the url")
	case strings.Contains(string(answer.Raw), "HTTP request to an HTTPS server"):
		err = registryRefusal{says("speaks TLS; begin the url with https://")}
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		err = registryRefusal{says("refuses the user or its password; correct them in the url")}
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusMethodNotAllowed:
		err = foreign(address.Host, fmt.Sprintf("status %d", answer.StatusCode))
	default:
		err = says(fmt.Sprintf("answers %d; see its log", answer.StatusCode))
	}
	return of("REGISTRY_URL", err)
}

// foreign says that something else than a registry answers, without its answer, which may be a whole page.
func foreign(host, answer string) error {
	return registryRefusal{
		fmt.Errorf("%s answers, but not as a schema registry; check the path of the url: %s", host, answer),
	}
}

// isForeign reports whether something answered 200 and was not understood.
func isForeign(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	_, long := errors.AsType[*http.MaxBytesError](err)
	return syntax || kind || long
}
