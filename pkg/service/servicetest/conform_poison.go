package servicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// poison is no value of any event: it does not begin as one.
var poison = []byte("\x01poison\x00\xff")

// poisonHoldsOnlyItsKeyBack puts, for each topic, a record of garbage before the story's first event on it, under the
// same key. It must be dead, to the byte, and the event behind it wait, unless the topic is not logged. Once an
// operator has discarded the one the other is handled, and the story must end as if there had been no poison.
func (s *stage[I, S, E]) poisonHoldsOnlyItsKeyBack(ctx context.Context) error {
	tried := make(map[string]bool)
	for i, st := range s.steps {
		if st.told == nil || tried[st.told.Topic] {
			continue
		}
		tried[st.told.Topic] = true
		if err := s.poisoned(ctx, i); err != nil {
			return fmt.Errorf("poison on %s before %s: %w", st.told.Topic, s.nameOf(st.message.ID), err)
		}
	}
	return nil
}

// poisoned plays the story with poison before step i.
func (s *stage[I, S, E]) poisoned(ctx context.Context, i int) error {
	bad, err := s.poisonBefore(ctx, i)
	if err != nil {
		return err
	}
	follower := s.message(i)
	waits := !follower.Unlogged
	all := s.portions(one)
	if err := clearAll(ctx, s.db); err != nil {
		return err
	}
	if err := s.handAll(ctx, all[:i]); err != nil {
		return err
	}
	refused, err := s.hand(ctx, s.db, s.backend(), []portion[I, S, E]{{
		messages: []message[I, S, E]{bad, follower},
	}})
	if err != nil {
		return err
	}
	if held := refused[follower.ID] != nil; refused[bad.ID] == nil || held != waits {
		return fmt.Errorf("set aside are %v: the poison must be, what is behind it only on a logged topic", refused)
	}
	if err := s.discard(ctx, bad); err != nil {
		return err
	}
	if waits {
		if err := s.drain(ctx, i); err != nil {
			return err
		}
	}
	if err := s.handAll(ctx, all[i+1:]); err != nil {
		return err
	}
	end, err := s.look(ctx)
	if err != nil {
		return err
	}
	return s.plain.untouched().compare(end.untouched())
}

// handAll hands in portions of which nothing may be refused.
func (s *stage[I, S, E]) handAll(ctx context.Context, portions []portion[I, S, E]) error {
	refused, err := s.hand(ctx, s.db, s.backend(), portions)
	for id, refusal := range refused {
		err = errors.Join(err, fmt.Errorf("refused: %s: %w", s.nameOf(id), refusal))
	}
	return err
}

// poisonBefore is the message of a record that claims to be another event of step i's, and is none.
func (s *stage[I, S, E]) poisonBefore(ctx context.Context, i int) (message[I, S, E], error) {
	e := *s.steps[i].told
	e.ID = event.Derive("story", e.ID, 1)
	record := &kgo.Record{Topic: e.Topic, Key: []byte(e.Key), Value: poison}
	for _, h := range event.Headers(e) {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	m, wanted, err := s.decoder.Decode(ctx, record)
	if err == nil && (!wanted || m.Fault == nil) {
		err = errors.New("garbage is no fault")
	}
	return hear[I, S, E](m), err
}

// discard finds the poison among the letters, as it came, and discards it in the name of an operator.
func (s *stage[I, S, E]) discard(ctx context.Context, bad message[I, S, E]) error {
	letters, err := work.NewLetters(s.db, work.LettersConfig{
		Clock: func() time.Time { return storyTime }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	found, err := letters.List(ctx, work.LetterFilter{State: work.LetterDead, Scope: bad.Scope}, 0, 10)
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0].ID != bad.ID || !found[0].Head || found[0].Class != work.ClassUndecodable {
		return fmt.Errorf("dead letters are %+v, want the poison", found)
	}
	opened, err := letters.Open(ctx, found[0].Seq)
	if err != nil {
		return err
	}
	if r := opened.Record; r == nil || !bytes.Equal(r.Value, poison) || string(r.Key) != bad.Key ||
		!slices.EqualFunc(r.Headers, bad.Record.Headers, func(a, b event.Header) bool {
			return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
		}) {
		return fmt.Errorf("the record was not kept to the byte: %+v", opened.Record)
	}
	return letters.Discard(ctx, found[0].Seq, "conform", "it is poison")
}

// drain has what is parked tried again, at the time of step i, until nothing is.
func (s *stage[I, S, E]) drain(ctx context.Context, i int) error {
	decoder := kafka.Decoder[I]{
		Codec: s.decoder.Codec, Input: s.decoder.Input, Unlogged: s.decoder.Unlogged,
		Clock: func() time.Time { return s.steps[i].message.At },
	}
	topic := s.steps[i].told.Topic
	return s.running(ctx, s.db, s.backend(), func(u *work.Unit[heard[I, S, E], S, E]) error {
		lot := work.NewParkingLot(work.ParkingConfig[heard[I, S, E]]{
			DB: s.db, Retry: u.Retry, Every: time.Millisecond,
			Clock: func() time.Time { return storyTime }, Logger: slog.New(slog.DiscardHandler),
			Owned: func() map[string][]int32 { return map[string][]int32{topic: {0}} },
			Decode: func(ctx context.Context, r *work.Record) (message[I, S, E], bool, error) {
				m, wanted, err := decoder.Again(ctx, r)
				return hear[I, S, E](m), wanted, err
			},
		})
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- lot.Run(ctx) }()
		err := s.untilNothingIsOpen(ctx)
		stop()
		return errors.Join(err, <-ended)
	})
}

// drainWithin is how long a parked event may take.
const drainWithin = 30 * time.Second

func (s *stage[I, S, E]) untilNothingIsOpen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		var open []string
		err := s.db.Read(ctx, func(tx *sqldb.Tx) (err error) {
			open, err = sqldb.Select[string](ctx, tx, `
				SELECT l.class || ': ' || l.error FROM inbox i JOIN letters l ON l.scope = i.scope AND l.id = i.id
				WHERE i.state IN ('parked', 'dead')`)
			return err
		})
		if err == nil && len(open) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("what is behind discarded poison still waits: %v: %w", open, errors.Join(err, ctx.Err()))
		case <-ticker.C:
		}
	}
}

// hear is a message as rules can change it.
func hear[I work.Input[S, E], S, E any](m work.Message[I]) message[I, S, E] {
	return message[I, S, E]{
		Scope: m.Scope, ID: m.ID, Letter: m.Letter, Key: m.Key, Digest: m.Digest, Status: m.Status, Cause: m.Cause,
		Record: m.Record, Unlogged: m.Unlogged, Fault: m.Fault, At: m.At, Input: heard[I, S, E]{in: m.Input},
	}
}

var attempts = regexp.MustCompile(` attempts=\d+`)

// untouched is the snapshot without what was set aside, and without traces of how what waited came to be handled.
func (s snapshot) untouched() snapshot {
	u := s.handled()
	delete(u.Tables, "rulings")
	for i, row := range u.Tables["inbox"] {
		u.Tables["inbox"][i] = attempts.ReplaceAllString(row, "")
	}
	return u
}
