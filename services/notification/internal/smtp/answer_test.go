package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/smtp"
)

// serve answers each SMTP command by its verb, "." for the end of a mail and "" for the greeting, until the test ends.
// An answer that is empty closes the connection. What is not listed is answered with 250. It returns the commands.
func serve(t *testing.T, answers map[string]string) (addr string, commands func() []string) {
	t.Helper()
	return serveAfter(t, answers, func(string) {})
}

// serveAfter is serve that answers a command once before has returned.
func serveAfter(t *testing.T, answers map[string]string, before func(verb string)) (
	addr string, commands func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer := func(verb string) bool {
					said, listed := answers[verb]
					switch {
					case listed && said == "":
						return false
					case !listed && verb == "":
						said = "220 hello"
					case !listed && verb == "DATA":
						said = "354 go on"
					case !listed:
						said = "250 ok"
					}
					fmt.Fprintf(conn, "%s\r\n", said)
					return true
				}
				if !answer("") {
					return
				}
				lines, inData := bufio.NewScanner(conn), false
				for lines.Scan() {
					text := lines.Text()
					if inData && text != "." {
						continue
					}
					verb, _, _ := strings.Cut(text, " ")
					mu.Lock()
					seen = append(seen, verb)
					mu.Unlock()
					before(verb)
					if !answer(verb) {
						return
					}
					inData = verb == "DATA"
				}
			})
		}
	})
	return l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), seen...)
	}
}

// TestAnswers: only a 5xx to the address or the text is final, what is said of us is not, and an answer that repeats the address stays unrepeated.
func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		answers map[string]string
		want    mail.Outcome // empty: unknown
		// away: whether it says that no mail would be taken
		away bool
	}{
		"all goes well":                        {nil, mail.Sent, false},
		"the greeting is a refusal":            {map[string]string{"": "554 no"}, "", true},
		"no greeting":                          {map[string]string{"": ""}, "", true},
		"hello is refused":                     {map[string]string{"EHLO": "550 no", "HELO": "550 no"}, "", true},
		"the sender is refused":                {map[string]string{"MAIL": "550 no"}, "", true},
		"we are to log in first":               {map[string]string{"MAIL": "530 who"}, "", true},
		"we are to log in before the address":  {map[string]string{"RCPT": "530 who"}, "", true},
		"we are to log in before the text":     {map[string]string{"DATA": "530 who"}, "", true},
		"the sender is put off":                {map[string]string{"MAIL": "451 later"}, "", false},
		"the address is refused":               {map[string]string{"RCPT": "550 no ada@example.com"}, mail.Refused, false},
		"the address is put off":               {map[string]string{"RCPT": "450 later ada@example.com"}, "", false},
		"the connection breaks at the address": {map[string]string{"RCPT": ""}, "", false},
		"data are refused":                     {map[string]string{"DATA": "554 no"}, mail.Refused, false},
		"the text is refused":                  {map[string]string{".": "554 spam for ada@example.com"}, mail.Refused, false},
		"the text is put off":                  {map[string]string{".": "452 full"}, "", false},
		"no answer to the text":                {map[string]string{".": ""}, "", false},
		"the server ends it all":               {map[string]string{"MAIL": "421 bye"}, "", true},
		"an answer that is none":               {map[string]string{"RCPT": "nonsense"}, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			addr, _ := serve(t, test.answers)
			c := newClient(t, addr, 2*time.Second)
			outcome, err := c.Send(t.Context(), confirmation("ada@example.com"))
			if outcome != test.want || errors.Is(err, smtp.ErrUnknown) != (test.want == "") {
				t.Errorf("%q, %v, want %q", outcome, err, test.want)
			}
			if errors.Is(err, smtp.ErrAway) != test.away {
				t.Errorf("%v: away is %t, want %t", err, !test.away, test.away)
			}
			if err != nil && strings.Contains(err.Error(), "ada@") {
				t.Errorf("the error repeats the address: %v", err)
			}
		})
	}
}

// TestAnAddressInBrackets: the server's, as that of every IPv6 host is.
func TestAnAddressInBrackets(t *testing.T) {
	addr, _ := serve(t, nil)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, "[::ffff:127.0.0.1]:"+port, 2*time.Second)
	if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
		t.Errorf("%q, %v", outcome, err)
	}
}

// TestAConnectionOutlivesTheTimeout: that of the mail before.
func TestAConnectionOutlivesTheTimeout(t *testing.T) {
	const timeout = 2 * time.Second
	addr, commands := serve(t, nil)
	c := newClient(t, addr, timeout)
	for range 2 {
		if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
			t.Fatalf("%q, %v", outcome, err)
		}
		<-time.After(timeout) // from before the end of the mail
	}
	if greeted := strings.Count(strings.Join(commands(), " "), "EHLO"); greeted != 1 {
		t.Errorf("%d connections were opened for two mails, want 1", greeted)
	}
}

// TestNoMailWaitsForAGoodbye: connections that are too many are closed behind a mail, which has been sent.
func TestNoMailWaitsForAGoodbye(t *testing.T) {
	const once = 12 // more than are kept
	var arrived, sending sync.WaitGroup
	arrived.Add(once)
	addr, commands := serveAfter(t, nil, func(verb string) {
		if verb == "." {
			arrived.Done()
			arrived.Wait()
		}
	})
	c := newClient(t, addr, 10*time.Second)
	for range once {
		sending.Go(func() {
			if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
				t.Errorf("%q, %v", outcome, err)
			}
		})
	}
	sending.Wait()
	if slices.Contains(commands(), "QUIT") {
		t.Error("a mail waited until the server had answered a goodbye")
	}
	c.Close()
	if !slices.Contains(commands(), "QUIT") {
		t.Error("the server was told no goodbye in the end")
	}
}

func TestTLS(t *testing.T) {
	addr, commands := serve(t, nil) // offers no STARTTLS
	for mode, want := range map[smtp.TLS]bool{
		smtp.TLSNone: true, smtp.TLSOpportunistic: true, smtp.TLSMandatory: false, smtp.TLSImplicit: false,
	} {
		c, err := smtp.New(smtp.Config{Addr: addr, From: from, TLS: mode, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		before := len(commands())
		if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); (outcome == mail.Sent) != want {
			t.Errorf("%s to a server without it: %q, %v", mode, outcome, err)
		}
		if mailed := strings.Contains(strings.Join(commands()[before:], " "), "MAIL"); mailed != want {
			t.Errorf("%s to a server without it: the mail was begun = %t", mode, mailed)
		}
		c.Close()
	}
}

// TestImplicitTLSTrustsNobodyUnknown has a server whose certificate nobody signed.
func TestImplicitTLSTrustsNobodyUnknown(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = conn.Write([]byte("220 hello\r\n"))
			_ = conn.Close()
		}
		said <- err
	}()
	c, err := smtp.New(smtp.Config{Addr: l.Addr().String(), From: from, TLS: smtp.TLSImplicit, User: "u", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), confirmation("ada@example.com"))
	if !errors.Is(err, smtp.ErrUnknown) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one about the certificate", err)
	}
	if err := <-said; err == nil {
		t.Error("the client spoke to a server that it does not trust")
	}
	_ = l.Close()
}
