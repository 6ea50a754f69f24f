package smtp_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/smtp"
)

const from = "Shop <orders@shop.example>"

func startMailbox(t *testing.T) *mailbox.Mailbox {
	t.Helper()
	m, err := mailbox.Start(mailbox.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func newClient(t *testing.T, addr string, timeout time.Duration) *smtp.Client {
	t.Helper()
	c, err := smtp.New(smtp.Config{Addr: addr, From: from, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func confirmation(to string) mail.Call {
	return mail.Call{
		OrderID: "o-1", Kind: mail.Confirmation, MessageID: "o-1.confirmation@shop.example", To: to,
		Date:  time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Lines: []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 899}}, Total: 1_798, Currency: "EUR",
	}
}

// taken lists the mails with their headers and texts.
func taken(t *testing.T, m *mailbox.Mailbox) []mailbox.Mail {
	t.Helper()
	get := func(path string, into any) {
		response, err := http.Get("http://" + m.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	var list struct{ Mails []mailbox.Mail }
	get("/v1/mails", &list)
	for i := range list.Mails {
		get("/v1/mails/"+string(rune('0'+list.Mails[i].ID)), &list.Mails[i])
	}
	return list.Mails
}

func TestAMailArrivesAsItWasMeant(t *testing.T) {
	m := startMailbox(t)
	c := newClient(t, m.SMTPAddr(), 0)
	for range 2 { // a repetition is the same to the letter
		if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent || err != nil {
			t.Fatalf("%q, %v", outcome, err)
		}
	}
	mails := taken(t, m)
	if len(mails) != 2 {
		t.Fatalf("%d mails arrived", len(mails))
	}
	if diff := cmp.Diff(mails[0].Headers, mails[1].Headers); diff != "" {
		t.Errorf("the repetition differs (-first +second):\n%s", diff)
	}
	want := map[string][]string{
		"From": {`"Shop" <orders@shop.example>`}, "To": {"<ada@example.com>"}, "X-Order-Id": {"o-1"},
		"Subject": {"Your order is confirmed"}, "Message-Id": {"<o-1.confirmation@shop.example>"},
		"Date": {"Sun, 01 Mar 2026 12:00:00 +0000"}, "Auto-Submitted": {"auto-generated"}, "Mime-Version": {"1.0"},
		"Content-Type": {"text/plain; charset=UTF-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
	}
	if diff := cmp.Diff(want, mails[0].Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if mails[0].From != "orders@shop.example" || !cmp.Equal(mails[0].To, []string{"ada@example.com"}) {
		t.Errorf("from %q to %q", mails[0].From, mails[0].To)
	}
	if !strings.Contains(mails[0].Text, "2 × tea-001, 8.99 EUR each\n\nTotal: 17.98 EUR\n") {
		t.Errorf("the text is %q", mails[0].Text)
	}
}

// TestHostileAddresses: what is no bare address is refused without asking anybody, and is repeated in no error.
func TestHostileAddresses(t *testing.T) {
	m := startMailbox(t)
	c := newClient(t, m.SMTPAddr(), 0)
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("b", 185) + ".com"
	for address, want := range map[string]mail.Outcome{
		"ada@example.com":                  mail.Sent,
		"ada+tea@example.com":              mail.Sent,
		"ädä@exämple.com":                  mail.Sent,
		long:                               mail.Sent,
		"":                                 mail.Refused,
		"ada":                              mail.Refused,
		"@example.com":                     mail.Refused,
		"ada@":                             mail.Refused,
		"x" + long:                         mail.Refused,
		"Ada <ada@example.com>":            mail.Refused,
		"<ada@example.com>":                mail.Refused,
		"ada@example.com, eve@example.com": mail.Refused,
		"ada@example.com\r\nBcc: eve@example.com":    mail.Refused,
		"ada@example.com>\r\nRCPT TO:<eve@x.example": mail.Refused,
		"ada\n@example.com":                          mail.Refused,
		"ada@example.com\x00":                        mail.Refused,
		"ada\u202e@example.com":                      mail.Refused,
		`"ada\r\n"@example.com`:                      mail.Refused,
		"(comment)ada@example.com":                   mail.Refused,
		strings.Repeat("a@", 100_000):                mail.Refused,
	} {
		got, err := c.Send(t.Context(), confirmation(address))
		if got != want || err != nil {
			t.Errorf("%.60q: %q, %v, want %q", address, got, err, want)
		}
	}
	for _, taken := range taken(t, m) {
		if len(taken.To) != 1 || len(taken.Headers["Bcc"]) > 0 || len(taken.Headers["To"]) != 1 {
			t.Errorf("arrived to %q with %v", taken.To, taken.Headers)
		}
	}
}

// TestWhatOthersWroteAddsNoHeader puts line breaks wherever a mail repeats text of others.
func TestWhatOthersWroteAddsNoHeader(t *testing.T) {
	m := startMailbox(t)
	c := newClient(t, m.SMTPAddr(), 0)
	plain, hostile := confirmation("ada@example.com"), confirmation("ada@example.com")
	plain.Kind, hostile.Kind = mail.Cancellation, mail.Cancellation
	hostile.Detail = "\r\n.\r\nMAIL FROM:<eve@example.com>\r\nBcc: eve@example.com\r\n\r\n<script>"
	hostile.Reason = "\r\nBcc: eve@example.com"
	for _, call := range []mail.Call{plain, hostile} {
		if outcome, err := c.Send(t.Context(), call); outcome != mail.Sent || err != nil {
			t.Fatalf("%q, %v", outcome, err)
		}
	}
	mails := taken(t, m)
	if len(mails) != 2 {
		t.Fatalf("%d mails arrived, want 2", len(mails))
	}
	if diff := cmp.Diff(mails[0].Headers, mails[1].Headers); diff != "" {
		t.Errorf("headers (-plain +hostile):\n%s", diff)
	}
	if !strings.Contains(mails[1].Text, "\nYou wrote: . MAIL FROM:<eve@example.com> Bcc: eve@example.com <script>\n") {
		t.Errorf("the text is %q", mails[1].Text)
	}
}

func TestOutcomes(t *testing.T) {
	m := startMailbox(t)
	hasty, patient := newClient(t, m.SMTPAddr(), 300*time.Millisecond), newClient(t, m.SMTPAddr(), 0)
	type result struct {
		outcome mail.Outcome
		final   bool
	}
	for address, want := range map[string][]result{
		"refused@example.com": {{mail.Refused, true}, {mail.Refused, true}},
		"busy@example.com":    {{"", false}, {"", false}, {mail.Sent, true}},
		"silent@example.com":  {{"", false}},
		"slow@example.com":    {{"", false}}, // it takes longer than we wait
		"ada@example.com":     {{mail.Sent, true}},
	} {
		for i, want := range want {
			c := patient
			if strings.HasPrefix(address, "s") { // or it would be waited for
				c = hasty
			}
			outcome, err := c.Send(t.Context(), confirmation(address))
			if outcome != want.outcome || (err == nil) != want.final {
				t.Errorf("%s, time %d: %q, %v, want %+v", address, i+1, outcome, err, want)
			}
			if err != nil && (!errors.Is(err, smtp.ErrUnknown) || strings.Contains(err.Error(), "example.com")) {
				t.Errorf("%s, time %d: %v", address, i+1, err)
			}
		}
	}
}

// TestAStaleConnectionIsReplaced: the server closed it while nobody used it, so the mail was not begun on it.
func TestAStaleConnectionIsReplaced(t *testing.T) {
	first := startMailbox(t)
	c := newClient(t, first.SMTPAddr(), time.Second)
	if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := mailbox.Start(mailbox.Config{SMTPAddr: first.SMTPAddr(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
		t.Errorf("%q, %v", outcome, err)
	}
}

func TestAServerThatIsAway(t *testing.T) {
	m := startMailbox(t)
	addr := m.SMTPAddr()
	c := newClient(t, addr, time.Second)
	if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil { // the idle connection goes with it
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), confirmation("ada@example.com")); !errors.Is(err, smtp.ErrUnknown) {
		t.Errorf("error %v, want ErrUnknown", err)
	}
	back, err := mailbox.Start(mailbox.Config{SMTPAddr: addr, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
		t.Errorf("once it is back: %v", err)
	}
}

// TestConnectionsServeOneMailAfterAnother: and mails that are sent at once do not wait for each other.
func TestConnectionsServeOneMailAfterAnother(t *testing.T) {
	m := startMailbox(t)
	c := newClient(t, m.SMTPAddr(), 10*time.Second)
	var sending sync.WaitGroup
	for range 40 {
		sending.Go(func() {
			for range 5 {
				if outcome, err := c.Send(t.Context(), confirmation("ada@example.com")); outcome != mail.Sent {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
}

// TestSendEndsWithItsContext even while the server says nothing.
func TestSendEndsWithItsContext(t *testing.T) {
	m := startMailbox(t)
	c := newClient(t, m.SMTPAddr(), time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, confirmation("silent@example.com")); !errors.Is(err, smtp.ErrUnknown) {
		t.Errorf("error %v, want ErrUnknown", err)
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	good := smtp.Config{Addr: "127.0.0.1:1025", From: from}
	if _, err := smtp.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*smtp.Config){
		"no port":             func(c *smtp.Config) { c.Addr = "127.0.0.1" },
		"no host":             func(c *smtp.Config) { c.Addr = ":25" },
		"a strange port":      func(c *smtp.Config) { c.Addr = "127.0.0.1:65536" },
		"no sender":           func(c *smtp.Config) { c.From = "" },
		"a sender's line":     func(c *smtp.Config) { c.From = "a@b.example\r\nBcc: c@d.example" },
		"a domain in letters": func(c *smtp.Config) { c.From = "a@exämple.com" },
		"a domain in numbers": func(c *smtp.Config) { c.From = "a@[127.0.0.1]" },
		"a strange TLS":       func(c *smtp.Config) { c.TLS = "maybe" },
	} {
		cfg := good
		change(&cfg)
		if _, err := smtp.New(cfg); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
