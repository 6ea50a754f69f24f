package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// maxBatch is the most messages in one transaction, but for what comes at once.
const maxBatch = 500

// service is one of the four: a loop that decides and commits, a poller and a relay.
type service struct {
	name string
	// topics are consumed; the types are those of their events that are of interest.
	topics []string
	types  map[string]bool
	// handle loads what the messages need, changes it and saves it.
	handle func(ctx context.Context, tx *pgx.Conn, messages []*message, now time.Time) ([]fact, error)
	// committed is told of each commit. Defaults to nobody.
	committed func()

	url      string
	db       *pgx.Conn
	consumer *kgo.Client
	relay    *relay
	entries  chan entry
}

// entry is what comes in at once. Done is called when it is committed.
type entry struct {
	messages []*message
	done     func()
}

// message asks for a change.
type message struct {
	scope, id string
	// letter is a further id under which the inbox is asked, of an answer.
	letter string
	// kind is the type of an event, the operation of an answer, or empty.
	kind   string
	key    string
	digest []byte
	status int64
	// correlation, cause and trace go into the headers of what follows.
	correlation, cause, trace string
	at                        time.Time
	value                     []byte // of an event
	intent                    intent // of the gateway's answer
	purchase                  *purchase
}

// fact is an event to be published.
type fact struct {
	kind, key string
	id        string
	version   int64
	value     []byte
	because   *message
}

func (s *service) topic() string { return s.name + ".events" }

func (s *service) open(ctx context.Context, cfg config) (err error) {
	s.entries, s.url = make(chan entry, 2*maxBatch), cfg.database[s.name]
	if s.db, err = pgx.Connect(ctx, s.url); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.relay, err = newRelay(ctx, s.url, s.topic(), cfg.brokers); err != nil {
		return err
	}
	s.consumer, err = kgo.NewClient(kgo.SeedBrokers(cfg.brokers...), kgo.DisableClientMetrics(),
		kgo.ConsumerGroup(s.name), kgo.ConsumeTopics(s.topics...), kgo.ServerSideBalancer(), kgo.DisableAutoCommit(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(16<<20))
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	return nil
}

func (s *service) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.consumer.Close()
	s.relay.close(ctx)
	_ = s.db.Close(ctx)
}

func (s *service) start(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return s.run(ctx) })
	g.Go(func() error { return s.poll(ctx) })
	g.Go(func() error { return s.relay.run(ctx) })
}

// run commits what waits, in one transaction after the other.
func (s *service) run(ctx context.Context) error {
	for {
		var batch []*message
		var done []func()
		take := func(e entry) { batch, done = append(batch, e.messages...), append(done, e.done) }
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-s.entries:
			take(e)
		}
		for more := true; more && len(batch) < maxBatch; {
			select {
			case e := <-s.entries:
				take(e)
			default:
				more = false
			}
		}
		if err := s.transact(ctx, batch); err != nil {
			return fmt.Errorf("%s: %d messages: %w", s.name, len(batch), err)
		}
		for _, tell := range done {
			tell()
		}
		s.relay.wake()
		if s.committed != nil {
			s.committed()
		}
	}
}

// transact is the whole transaction.
func (s *service) transact(ctx context.Context, messages []*message) error {
	now := instant()
	if _, err := s.db.Exec(ctx, begin); err != nil {
		return err
	}
	fresh, err := lookUp(ctx, s.db, messages)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		facts, err := s.handle(ctx, s.db, fresh, now)
		if err != nil {
			return err
		}
		if err := markDone(ctx, s.db, fresh, now); err != nil {
			return err
		}
		if err := publish(ctx, s.db, s.name, facts, now); err != nil {
			return err
		}
	}
	_, err = s.db.Exec(ctx, "COMMIT")
	return err
}

// send hands in one message, which is decided with others.
func (s *service) send(ctx context.Context, m *message, done func()) error {
	select {
	case s.entries <- entry{[]*message{m}, done}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
