package mailbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/mailbox"
)

const patience = 20 * time.Second

func start(t *testing.T, config mailbox.Config) *mailbox.Mailbox {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	m, err := mailbox.Start(config)
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

// letter is a mail as a sender writes it.
func letter(order, kind, subject, text string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: Shop <shop@example.com>
Message-ID: <%[1]s.%[2]s@example.com>
Date: Sun, 01 Mar 2026 12:00:00 +0000
X-Order-ID: %[1]s
Subject: %[3]s
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

%[4]s
`, order, kind, subject, text), "\n", "\r\n")
}

func send(m *mailbox.Mailbox, to, mail string) error {
	return smtp.SendMail(m.SMTPAddr(), nil, "shop@example.com", []string{to}, []byte(mail))
}

func mustSend(t *testing.T, m *mailbox.Mailbox, to, mail string) {
	t.Helper()
	if err := send(m, to, mail); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, m *mailbox.Mailbox, path string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get("http://" + m.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func list(t *testing.T, m *mailbox.Mailbox, query string) (mails []mailbox.Mail, next int64) {
	t.Helper()
	var answer struct {
		Mails []mailbox.Mail
		Next  int64
	}
	if _, body := get(t, m, "/v1/mails"+query); json.Unmarshal([]byte(body), &answer) != nil {
		t.Fatalf("/v1/mails%s answered %s", query, body)
	}
	return answer.Mails, answer.Next
}

func subjects(mails []mailbox.Mail) []string {
	texts := []string{}
	for _, mail := range mails {
		texts = append(texts, mail.Subject)
	}
	return texts
}

func TestAMailIsShownAsItWasSent(t *testing.T) {
	m := start(t, mailbox.Config{Clock: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC) }})
	sent := letter("o-1", "confirmation", "=?UTF-8?q?Gr=C3=BC=C3=9Fe?=", "1 =C3=97 tea=\n, 8.99 EUR")
	mustSend(t, m, "ada@example.com", sent)

	var got mailbox.Mail
	if _, body := get(t, m, "/v1/mails/1"); json.Unmarshal([]byte(body), &got) != nil {
		t.Fatalf("answered %s", body)
	}
	_, raw := get(t, m, "/v1/mails/1/raw")
	if raw != sent {
		t.Errorf("raw is %q, sent %q", raw, sent)
	}
	want := mailbox.Mail{
		ID: 1, ReceivedAt: time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC), From: "shop@example.com",
		To: []string{"ada@example.com"}, Subject: "Grüße", MessageID: "o-1.confirmation@example.com", OrderID: "o-1",
		Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Size: len(sent), Text: "1 × tea, 8.99 EUR\n",
		Headers: map[string][]string{
			"From": {"Shop <shop@example.com>"}, "Message-Id": {"<o-1.confirmation@example.com>"},
			"Date": {"Sun, 01 Mar 2026 12:00:00 +0000"}, "X-Order-Id": {"o-1"},
			"Subject": {"=?UTF-8?q?Gr=C3=BC=C3=9Fe?="}, "Content-Type": {"text/plain; charset=UTF-8"},
			"Content-Transfer-Encoding": {"quoted-printable"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mailbox.Mail{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	m := start(t, mailbox.Config{})
	for i := range 6 {
		to := []string{"ada@example.com", "bob@example.com"}[i%2]
		mustSend(t, m, to, letter(fmt.Sprintf("o-%d", i/3), "refund", fmt.Sprint(i), ""))
	}
	for query, want := range map[string][]string{
		"":                                   {"0", "1", "2", "3", "4", "5"},
		"?to=Ada@example.com":                {"0", "2", "4"},
		"?order_id=o-1":                      {"3", "4", "5"},
		"?order_id=o-1&to=bob%40example.com": {"3", "5"},
		"?limit=2":                           {"0", "1"},
		"?after=4":                           {"4", "5"},
		"?after=6":                           {},
		"?to=eve@example.com":                {},
	} {
		mails, next := list(t, m, query)
		if diff := cmp.Diff(want, subjects(mails)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
		if n := len(mails); n > 0 && next != mails[n-1].ID {
			t.Errorf("%q goes on after %d", query, next)
		}
	}
	for path, want := range map[string]int{
		"/v1/mails?limit=0": 422, "/v1/mails?limit=10001": 422, "/v1/mails?after=-1": 422, "/v1/mails?after=x": 422,
		"/v1/mails/7": 404, "/v1/mails/0": 404, "/v1/mails/x/raw": 404, "/mails/7": 404, "/nothing": 404,
		"/healthz": 204,
	} {
		if response, body := get(t, m, path); response.StatusCode != want {
			t.Errorf("%s answered %d %s, want %d", path, response.StatusCode, body, want)
		}
	}
}

// codeOf is that of the server's answer, 0 if there was none.
func codeOf(err error) int {
	if failed, ok := errors.AsType[*textproto.Error](err); ok {
		return failed.Code
	}
	return 0
}

func TestAddressesThatMisbehave(t *testing.T) {
	m := start(t, mailbox.Config{Slow: time.Millisecond})
	for i, want := range []int{550, 550} {
		if got := codeOf(send(m, "refused@example.com", letter("o-1", "refund", "", ""))); got != want {
			t.Errorf("refused, time %d: %d, want %d", i+1, got, want)
		}
	}
	for i, want := range []int{451, 451, 0} {
		err := send(m, "busy@example.com", letter("o-2", "refund", "", ""))
		if got := codeOf(err); got != want || want == 0 && err != nil {
			t.Errorf("busy, time %d: %v, want %d", i+1, err, want)
		}
	}
	if got := codeOf(send(m, "BUSY@example.org", letter("o-3", "refund", "", ""))); got != 451 {
		t.Errorf("another mail to a busy address: %d", got)
	}
	mustSend(t, m, "slow@example.com", letter("o-4", "refund", "", ""))
	mails, _ := list(t, m, "")
	var got []string
	for _, mail := range mails {
		got = append(got, mail.OrderID)
	}
	if diff := cmp.Diff([]string{"o-2", "o-4"}, got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// TestCloseReleasesWhoIsNotAnswered: neither a silent address nor an idle connection holds it up.
func TestCloseReleasesWhoIsNotAnswered(t *testing.T) {
	m := start(t, mailbox.Config{Slow: time.Hour})
	idle, err := smtp.Dial(m.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	ended := make(chan error, 2)
	for _, to := range []string{"silent@example.com", "slow@example.com"} {
		client, err := smtp.Dial(m.SMTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.Mail("shop@example.com"); err != nil {
			t.Fatal(err)
		}
		go func() { // both wait for an answer that does not come
			err := client.Rcpt(to)
			if err == nil {
				w, _ := client.Data()
				_, _ = w.Write([]byte(letter("o-1", "refund", "", "")))
				err = w.Close()
			}
			ended <- err
		}()
	}
	closed := make(chan error, 1)
	go func() { closed <- m.Close() }()
	for range 2 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("a mail was answered")
			}
		case <-time.After(patience):
			t.Fatal("Close leaves senders waiting")
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestMailsSurviveARestart(t *testing.T) {
	data := t.TempDir()
	first := start(t, mailbox.Config{Data: data})
	mustSend(t, first, "ada@example.com", letter("o-1", "refund", "one", "\xff\x00"))
	before, _ := list(t, first, "")
	if _, err := mailbox.Start(mailbox.Config{Data: data}); err == nil {
		t.Error("two mailboxes share a folder")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(t, mailbox.Config{Data: data})
	after, _ := list(t, second, "")
	if diff := cmp.Diff(before, after, cmp.AllowUnexported(mailbox.Mail{})); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	mustSend(t, second, "ada@example.com", letter("o-2", "refund", "two", ""))
	if mails, _ := list(t, second, ""); len(mails) != 2 || mails[1].ID != 2 {
		t.Errorf("mails %+v", mails)
	}
}

func TestPagesShowWhateverAMailSaysAsText(t *testing.T) {
	m := start(t, mailbox.Config{})
	const script = `<script>alert("mail")</script>`
	mustSend(t, m, "ada@example.com", letter("o-1", "refund", script, script))
	mustSend(t, m, "ada@example.com", "no header at all")
	mustSend(t, m, "ada@example.com", "Subject: \xff\xfe\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\npart\r\n--x--")
	for _, path := range []string{"/", "/mails/1", "/mails/2", "/mails/3", "/v1/mails", "/v1/mails/2", "/v1/mails/3"} {
		response, body := get(t, m, path)
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s answered %d %s", path, response.StatusCode, body)
		}
		if html := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"); !html {
			continue
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "://") {
			t.Errorf("%s shows markup or leads elsewhere:\n%s", path, body)
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
	if _, body := get(t, m, "/mails/1"); !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("the text is missing:\n%s", body)
	}
	if _, body := get(t, m, "/mails/3"); !strings.Contains(body, "<pre>part") {
		t.Errorf("the first part is missing:\n%s", body)
	}
	if response, _ := get(t, m, "/v1/mails/1/raw"); !strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("raw is %s", response.Header.Get("Content-Type"))
	}
}

func TestALargeMailIsRefused(t *testing.T) {
	m := start(t, mailbox.Config{})
	large := letter("o-1", "refund", "large", strings.Repeat("x\n", 200<<10))
	if got := codeOf(send(m, "ada@example.com", large)); got != 552 {
		t.Errorf("answered %d, want 552", got)
	}
	if mails, _ := list(t, m, "?to="+url.QueryEscape("ada@example.com")); len(mails) != 0 {
		t.Errorf("it was kept: %+v", mails)
	}
}

func TestAMailboxClosesRightAfterItsStart(t *testing.T) {
	for range 200 {
		m, err := mailbox.Start(mailbox.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- m.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("Close hangs")
		}
	}
}
