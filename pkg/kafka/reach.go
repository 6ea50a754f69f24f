package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Reach asks the brokers for an answer, once, without the retries that all else a client does has. The error says what
// keeps them from it, and the cure.
func Reach(ctx context.Context, client *kgo.Client) error {
	return Explain(client, client.Ping(ctx))
}

// Explain adds to an error of a client what to do about it, if it is one of reaching the brokers.
func Explain(client *kgo.Client, err error) error {
	return explain(client.OptValue(kgo.SeedBrokers), err)
}

// ExplainLoss is Explain for a client that the brokers had let in: if they hang up, they are about to stop.
func ExplainLoss(client *kgo.Client, err error) error {
	return explainLoss(client.OptValue(kgo.SeedBrokers), err)
}

func explainLoss(brokers any, err error) error {
	if errors.Is(err, io.EOF) {
		return err
	}
	return explain(brokers, err)
}

func explain(brokers any, err error) error {
	at := fmt.Sprintf("the brokers at %v", brokers)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case err == nil:
		return nil
	case isSASL(err):
		return fmt.Errorf("%s refuse the user or its password; correct them, or create the user: %w", at, err)
	case untrusted:
		return fmt.Errorf("%s show a certificate that is not trusted; name its authority: %w", at, err)
	case plain:
		return fmt.Errorf("%s speak no TLS there; leave it out, or name a listener that does: %w", at, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s hang up; do they want TLS, or a user and password, or neither of them? Correct those, "+
			"or name another listener: %w", at, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s do not answer; correct the address, and TLS if only one side speaks it: %w", at, err)
	case network:
		return fmt.Errorf("%s cannot be reached; start them, or correct the address: %w", at, err)
	}
	return err
}

// IsRefused says that the brokers were reached and let nobody in: passwords or TLS do not fit. Brokers that only hang
// up may also be about to stop.
func IsRefused(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return isSASL(err) || untrusted || plain
}

func isSASL(err error) bool {
	return errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kerr.UnsupportedSaslMechanism) ||
		errors.Is(err, kerr.IllegalSaslState)
}
