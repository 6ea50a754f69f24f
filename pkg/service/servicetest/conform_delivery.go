package servicetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// rounds of what is tried with random numbers.
const rounds = 5

func (s *stage[I, S, E]) oneBatch(ctx context.Context) error {
	return s.ends(ctx, s.backend(), s.portions(whole))
}

func (s *stage[I, S, E]) randomBatches(ctx context.Context) error {
	for seed := range uint64(rounds) {
		if err := s.ends(ctx, s.backend(), s.portions(randomly(seed))); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

func randomly(seed uint64) func() int {
	random := rand.New(rand.NewPCG(seed, 0))
	return func() int { return 1 + random.IntN(5) }
}

// everyMessageTwice hands in each message twice within a batch, and each batch twice.
func (s *stage[I, S, E]) everyMessageTwice(ctx context.Context) error {
	var twice []portion[I, S, E]
	for _, p := range s.portions(randomly(0)) {
		if p.aside != nil {
			twice = append(twice, p)
			continue
		}
		var doubled portion[I, S, E]
		for _, m := range p.messages {
			doubled.messages = append(doubled.messages, m, m)
		}
		twice = append(twice, doubled, p)
	}
	return s.ends(ctx, s.backend(), twice)
}

// toldAgain hands the whole story in again when it is over, at once and one by one.
func (s *stage[I, S, E]) toldAgain(ctx context.Context) error {
	again := s.portions(randomly(0))
	for _, size := range []func() int{whole, one} {
		for _, p := range s.portions(size) {
			if p.aside == nil {
				again = append(again, p)
			}
		}
	}
	return s.ends(ctx, s.backend(), again)
}

// replicasRace hands the same messages to two replicas. At the beginning of each part of the story both have looked
// into the inbox, and found nothing, before either goes on.
func (s *stage[I, S, E]) replicasRace(ctx context.Context) error {
	replicas := []*sqldb.DB{s.db, s.another()}
	for seed := range uint64(rounds) {
		if err := clearAll(ctx, s.db); err != nil {
			return err
		}
		for _, part := range s.portions(whole) {
			var err error
			if part.aside != nil {
				err = part.aside(ctx, s.db)
			} else {
				err = s.race(ctx, replicas, part, seed)
			}
			if err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
		}
		end, err := s.look(ctx)
		if err == nil {
			err = s.plain.compare(end)
		}
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// race hands one part of the story to all replicas, each time cut otherwise. An error of one stops the others.
func (s *stage[I, S, E]) race(ctx context.Context, replicas []*sqldb.DB, part portion[I, S, E], seed uint64) error {
	racing, ctx := errgroup.WithContext(ctx)
	var missing atomic.Int64
	missing.Store(int64(len(replicas)))
	met := make(chan struct{})
	for i, db := range replicas {
		arrive := sync.OnceFunc(func() {
			if missing.Add(-1) == 0 {
				close(met)
			}
		})
		svc := s.backend()
		load := svc.Load
		svc.Load = func(loadCtx context.Context, tx *sqldb.Tx, all []heard[I, S, E]) (S, error) {
			arrive()
			select {
			case <-met:
			case <-ctx.Done():
			}
			return load(loadCtx, tx, all)
		}
		racing.Go(func() error {
			defer arrive() // with nothing to load, it holds nobody up
			refused, err := s.hand(ctx, db, svc, cut(part, randomly(seed*2+uint64(i))))
			for id, refusal := range refused {
				err = errors.Join(err, fmt.Errorf("refused: %s: %w", s.nameOf(id), refusal))
			}
			return err
		})
	}
	return racing.Wait()
}

// cut a portion into smaller ones.
func cut[I interface{ Decide(S) ([]E, error) }, S, E any](p portion[I, S, E], size func() int) []portion[I, S, E] {
	var all []portion[I, S, E]
	for rest := p.messages; len(rest) > 0; {
		n := min(size(), len(rest))
		all = append(all, portion[I, S, E]{messages: slices.Clone(rest[:n])})
		rest = rest[n:]
	}
	return all
}
