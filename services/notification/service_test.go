package notification_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/schemas"
	notifications "github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

const (
	orderID     = "0199b1a4-0000-7000-8000-00000000000a"
	correlation = "0199b1a4-0000-7000-8000-00000000000c"
	trace       = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	total       = 4_200
	patience    = 30 * time.Second
)

// office is the service without Kafka: messages enter its unit of work, its mails go to a real SMTP server.
type office struct {
	t     *testing.T
	db    *sqldb.DB
	def   service.Definition[store.Message, *store.State, mail.Event]
	unit  *work.Unit[store.Message, *store.State, mail.Event]
	facts chan work.Fact[mail.Event]
	logs  *logs
	sent  int
	// halt has its calls stop. stop has all of it stop, the unit of work after the calls, and waits.
	halt, stop func()
}

func migrate(t *testing.T, db *sqldb.DB) {
	t.Helper()
	for name, tables := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": store.Migrations(),
	} {
		if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
			t.Fatal(err)
		}
	}
}

// open starts the service on a database that is migrated. Encode may be nil.
func open(t *testing.T, db *sqldb.DB, cfg notifications.Config, encode func(*event.Event) ([]byte, error)) *office {
	t.Helper()
	if encode == nil {
		encode = func(e *event.Event) ([]byte, error) {
			e.Topic, e.Type = "notification.events", e.Data.EventType()
			return json.Marshal(e.Data)
		}
	}
	cfg = cfg.WithDefaults()
	o := &office{
		t: t, db: db, def: notifications.Definition(cfg), facts: make(chan work.Fact[mail.Event], 1000), logs: &logs{},
	}
	o.unit = work.New(work.Service[store.Message, *store.State, mail.Event]{
		Name: o.def.Name, Load: o.def.Load, Save: o.def.Save, Publish: o.def.Publish, Encode: encode,
	}, db, work.Config{Logger: slog.New(slog.DiscardHandler)})
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: o.def.Name, LogTo: o.logs})
	if err != nil {
		t.Fatal(err)
	}
	background := o.def.Background(&service.Parts[store.Message, *store.State, mail.Event]{
		Config: cfg.Config, DB: db, Unit: o.unit, Telemetry: tel,
	})
	o.unit.OnCommit(func(facts []work.Fact[mail.Event]) {
		for _, f := range facts {
			o.facts <- f
		}
	})
	run := func(fns ...func(context.Context) error) (halt, stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for _, run := range fns {
			running.Go(func() {
				if err := run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		return cancel, func() { cancel(); running.Wait() }
	}
	halt, stopCalls := run(background...)
	_, stopUnit := run(o.unit.Run)
	o.halt = halt
	o.stop = sync.OnceFunc(func() { stopCalls(); stopUnit() })
	t.Cleanup(o.stop)
	return o
}

// logs keeps what is logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// consume hands an event of another service to this one.
func (o *office) consume(data event.Data) {
	o.t.Helper()
	o.sent++
	id := event.Derive("test", o.t.Name(), o.sent)
	arrived := event.Now(time.Now)
	in, wanted, err := o.def.Input(event.Event{
		ID: id, Key: orderID, Data: data, Cause: event.Cause{Correlation: correlation, Trace: trace},
	}, arrived)
	if err != nil || !wanted {
		o.t.Fatalf("%T: wanted %t, error %v", data, wanted, err)
	}
	refusals, err := o.unit.Take(o.t.Context(), []work.Message[store.Message]{{
		Scope: "test", ID: id, Key: orderID, At: arrived, Input: in,
		Cause: event.Cause{ID: id, Correlation: correlation, Trace: trace},
	}})
	if err != nil || len(refusals) > 0 {
		o.t.Fatalf("%T: %v, refused %v", data, err, refusals)
	}
}

func (o *office) place(address string) {
	o.t.Helper()
	o.consume(&schemas.OrderPlaced{OrderID: orderID, Email: address, Currency: "EUR", Total: total})
}

func (o *office) confirm() {
	o.t.Helper()
	o.consume(&schemas.OrderConfirmed{OrderID: orderID, Currency: "EUR", Total: total})
}

func (o *office) cancel() {
	o.t.Helper()
	o.consume(&schemas.OrderCancelled{
		OrderID: orderID, Reason: schemas.CancellationReasonTimedOut, Currency: "EUR", Total: total,
	})
}

func (o *office) refund() {
	o.t.Helper()
	o.consume(&schemas.PaymentRefunded{OrderID: orderID, Amount: total, Currency: "EUR"})
}

// next waits for the next event and checks whose it is.
func (o *office) next() string {
	o.t.Helper()
	select {
	case f := <-o.facts:
		if f.Cause.Correlation != correlation || f.Cause.Trace != trace || f.Cause.ID == "" {
			o.t.Errorf("%T has the cause %+v", f.Event, f.Cause)
		}
		if failed, ok := f.Event.(mail.MailFailed); ok {
			return fmt.Sprintf("%s failed: %s", failed.Kind, failed.Reason)
		}
		return fmt.Sprintf("%s sent", f.Event.Stamped().Kind)
	case <-time.After(patience):
		o.t.Fatalf("nothing happened\n%s", o.logs)
		return ""
	}
}

func startMailbox(t *testing.T, addr string) *mailbox.Mailbox {
	t.Helper()
	m, err := mailbox.Start(mailbox.Config{SMTPAddr: addr, Slow: time.Second, Logger: slog.New(slog.DiscardHandler)})
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

// taken lists the Message-IDs that arrived, in their order.
func taken(t *testing.T, m *mailbox.Mailbox) []string {
	t.Helper()
	response, err := http.Get("http://" + m.Addr() + "/v1/mails")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var list struct{ Mails []mailbox.Mail }
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range list.Mails {
		ids = append(ids, m.MessageID)
	}
	return ids
}

func idOf(kind mail.Kind) string { return orderID + "." + string(kind) + "@quadrille.example" }

// TestMails runs orders through unit of work, calls and SMTP and lists what is said of their mails and what arrived.
func TestMails(t *testing.T) {
	tests := map[string]struct {
		address string
		want    []string
		arrived []string
	}{
		"all goes well": {
			"ada@example.com", []string{"confirmation sent", "cancellation sent", "refund sent"},
			[]string{idOf(mail.Confirmation), idOf(mail.Cancellation), idOf(mail.Refund)},
		},
		"put off twice, then taken": {
			"busy@example.com", []string{"confirmation sent", "cancellation sent", "refund sent"},
			[]string{idOf(mail.Confirmation), idOf(mail.Cancellation), idOf(mail.Refund)},
		},
		"refused": {
			"refused@example.com",
			[]string{"confirmation failed: refused", "cancellation failed: refused", "refund failed: refused"}, nil,
		},
		"an address that is none": {
			"ada@example.com\r\nBcc: eve@example.com",
			[]string{"confirmation failed: refused", "cancellation failed: refused", "refund failed: refused"}, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrate(t, db)
				m := startMailbox(t, "")
				o := open(t, db, notifications.Config{SMTPAddr: m.SMTPAddr()}, nil)
				o.refund() // overtakes
				o.place(test.address)
				o.confirm()
				o.cancel()
				var got []string
				for range test.want {
					got = append(got, o.next())
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.arrived, taken(t, m)); diff != "" {
					t.Errorf("mails (-want +got):\n%s", diff)
				}
				if text := o.logs.String(); strings.Contains(text, "example.com") {
					t.Errorf("the address was logged:\n%s", text)
				}
			})
		})
	}
}

// TestAMailExpires: nobody answers for longer than it is tried.
func TestAMailExpires(t *testing.T) {
	db := sqltest.SQLite(t)
	migrate(t, db)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil { // nobody listens there
		t.Fatal(err)
	}
	o := open(t, db, notifications.Config{SMTPAddr: addr, MailGiveUpAfter: 300 * time.Millisecond}, nil)
	began := time.Now()
	o.place("ada@example.com")
	o.confirm()
	o.cancel()
	for _, want := range []string{"confirmation failed: expired", "cancellation failed: expired"} {
		if got := o.next(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if took := time.Since(began); took < 600*time.Millisecond {
		t.Errorf("both were given up after %s: each has its time from when its turn came", took)
	}
}

// TestAMailWhoseTimeIsOverIsNotSentAgain: it is given up before the server is asked, or a mail whose answer cannot be
// saved would go out for ever.
func TestAMailWhoseTimeIsOverIsNotSentAgain(t *testing.T) {
	db := sqltest.SQLite(t)
	migrate(t, db)
	m := startMailbox(t, "")
	var skipped atomic.Int64
	cfg := notifications.Config{SMTPAddr: m.SMTPAddr()}
	cfg.Clock = func() time.Time { return time.Now().Add(time.Duration(skipped.Load())) }
	saved := make(chan struct{})
	first := open(t, db, cfg, func(*event.Event) ([]byte, error) {
		if skipped.Swap(int64(25*time.Hour)) == 0 {
			close(saved)
		}
		return nil, errors.New("not to be saved")
	})
	first.place("ada@example.com")
	first.confirm()
	select {
	case <-saved:
	case <-time.After(patience):
		t.Fatal("no mail was sent")
	}
	first.stop()

	second := open(t, db, cfg, nil)
	if got := second.next(); got != "confirmation failed: expired" {
		t.Errorf("%q", got)
	}
	if diff := cmp.Diff([]string{idOf(mail.Confirmation)}, taken(t, m)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// TestAStopLetsAMailBeSent: the server has the whole mail, and answers only when the service is about to stop.
func TestAStopLetsAMailBeSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	whole, stopping := make(chan struct{}), make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "220 hello\r\n")
		inData := false
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch text := lines.Text(); {
			case text == ".":
				close(whole)
				<-stopping
				inData = false
			case inData:
				continue
			case text == "DATA":
				inData = true
				fmt.Fprint(conn, "354 go on\r\n")
				continue
			}
			fmt.Fprint(conn, "250 ok\r\n")
		}
	})
	db := sqltest.SQLite(t)
	migrate(t, db)
	o := open(t, db, notifications.Config{SMTPAddr: l.Addr().String(), SMTPTimeout: patience}, nil)
	o.place("ada@example.com")
	o.confirm()
	select {
	case <-whole:
	case <-time.After(patience):
		t.Error("no mail was sent")
	}
	o.halt()
	close(stopping)
	o.stop()
	if len(o.facts) == 0 {
		t.Errorf("the answer was lost\n%s", o.logs)
	} else if got := o.next(); got != "confirmation sent" {
		t.Errorf("%q", got)
	}
	l.Close()
	serving.Wait()
}

// TestMailsWaitForTheServer: while it is away nothing is lost, and when it is back they go out in order.
func TestMailsWaitForTheServer(t *testing.T) {
	db := sqltest.SQLite(t)
	migrate(t, db)
	away := startMailbox(t, "")
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	o := open(t, db, notifications.Config{SMTPAddr: away.SMTPAddr()}, nil)
	o.place("ada@example.com")
	o.confirm()
	o.cancel()
	for !strings.Contains(o.logs.String(), "attempt 3") {
		if t.Context().Err() != nil || len(o.facts) > 0 {
			t.Fatalf("%d events\n%s", len(o.facts), o.logs)
		}
		<-time.After(5 * time.Millisecond) // between two looks
	}
	back := startMailbox(t, away.SMTPAddr())
	for _, want := range []string{"confirmation sent", "cancellation sent"} {
		if got := o.next(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if diff := cmp.Diff([]string{idOf(mail.Confirmation), idOf(mail.Cancellation)}, taken(t, back)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// TestAMailRepeatsOnlyIfItsAnswerIsLost stops the service between the server's answer and the commit: the mail goes out
// again under the same Message-ID, is told of once, and then never again.
func TestAMailRepeatsOnlyIfItsAnswerIsLost(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		m := startMailbox(t, "")
		cfg := notifications.Config{SMTPAddr: m.SMTPAddr(), SMTPTimeout: time.Second}
		cfg.Drain = 10 * time.Millisecond
		answered := make(chan struct{}, 1)
		dying := make(chan struct{})
		first := open(t, db, cfg, func(*event.Event) ([]byte, error) {
			select {
			case answered <- struct{}{}:
			default:
			}
			<-dying // the transaction of the answer does not come to its end
			return nil, context.Canceled
		})
		first.place("ada@example.com")
		first.confirm()
		select {
		case <-answered:
		case <-time.After(patience):
			t.Fatal("no mail was sent")
		}
		go first.stop()
		close(dying)
		first.stop()

		second := open(t, db, cfg, nil)
		if got := second.next(); got != "confirmation sent" {
			t.Errorf("%q", got)
		}
		second.stop()
		third := open(t, db, cfg, nil)
		third.sent = first.sent // its ids go on
		third.cancel()
		if got := third.next(); got != "cancellation sent" {
			t.Errorf("%q", got)
		}
		want := []string{idOf(mail.Confirmation), idOf(mail.Confirmation), idOf(mail.Cancellation)}
		got := taken(t, m)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
		if len(slices.Compact(got)) != 2 {
			t.Errorf("mails %q", got)
		}
	})
}

func TestRunNamesTheVariableAtFault(t *testing.T) {
	tests := map[string]notifications.Config{
		"QUADRILLE_SMTP_TIMEOUT":       {SMTPTimeout: time.Hour},
		"QUADRILLE_MAIL_LIMIT":         {MailLimit: -1},
		"QUADRILLE_MAIL_GIVE_UP_AFTER": {MailGiveUpAfter: -1},
		"QUADRILLE_SMTP_ADDR":          {SMTPAddr: "smtp.example"},
		"QUADRILLE_SMTP_TLS":           {SMTPTLS: "maybe"},
		"QUADRILLE_MAIL_FROM":          {MailFrom: "the shop"},
	}
	for variable, cfg := range tests {
		if err := notifications.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
