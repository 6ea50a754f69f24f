package kafka_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

func TestReachNamesTheCauseAndTheCure(t *testing.T) {
	borrowed := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer borrowed.Close()
	const user, wrong = "order", "hunter2"
	secured := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", user, "right")}
	encrypted := []kfake.Opt{kfake.TLS(&tls.Config{Certificates: borrowed.TLS.Certificates})}
	password := func(secret string) kgo.Opt {
		return kgo.SASL(scram.Auth{User: user, Pass: secret}.AsSha256Mechanism())
	}
	anyCertificate := kgo.DialTLSConfig(&tls.Config{InsecureSkipVerify: true}) //nolint:gosec // TLS is not what is tested
	soon := kgo.DialTimeout(200 * time.Millisecond)
	for name, test := range map[string]struct {
		broker  []kfake.Opt
		options []kgo.Opt
		want    string // empty: it is reached
		refused bool
	}{
		"the right password":      {secured, []kgo.Opt{password("right")}, "", false},
		"a wrong password":        {secured, []kgo.Opt{password(wrong)}, "refuse the user or its password", true},
		"no password":             {secured, nil, "hang up; do they want TLS, or a user", false},
		"TLS":                     {encrypted, []kgo.Opt{anyCertificate}, "", false},
		"TLS where there is none": {nil, []kgo.Opt{anyCertificate, soon}, "do not answer; correct the address, and TLS", false},
		"no TLS where it is":      {encrypted, nil, "hang up; do they want TLS", false},
		"an unknown authority":    {encrypted, []kgo.Opt{kgo.DialTLS()}, "certificate that is not trusted", true},
		"nobody listens": {nil, []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")},
			"the brokers at [127.0.0.1:1] cannot be reached; start them, or correct the address", false},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := startBroker(t, 1, test.broker...)
			if name == "a wrong password" {
				refuseAsKafkaDoes(cluster)
			}
			client, err := kafka.NewClient(config(cluster), test.options...)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			err = kafka.Reach(t.Context(), client)
			if test.want == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			wantError(t, err, "the brokers at [127.0.0.1:", test.want)
			if kafka.IsRefused(err) != test.refused {
				t.Errorf("error %v: refused %t, want %t", err, kafka.IsRefused(err), test.refused)
			}
			if strings.Contains(err.Error(), wrong) {
				t.Errorf("error %v repeats the password", err)
			}
		})
	}
}

func TestBrokersThatWereThereAreNotToldToWantTLS(t *testing.T) {
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	hungUp := fmt.Errorf("read: %w", io.EOF)
	wantError(t, kafka.Explain(client, hungUp), "the brokers at [127.0.0.1:1] hang up")
	if err := kafka.ExplainLoss(client, hungUp); !errors.Is(err, io.EOF) || err.Error() != hungUp.Error() {
		t.Errorf("error %v", err)
	}
	wantError(t, kafka.ExplainLoss(client, kerr.SaslAuthenticationFailed), "refuse the user or its password")
}

// refuseAsKafkaDoes has every password answered with an error, where the broker of these tests would only hang up.
func refuseAsKafkaDoes(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
}
