package servicetest

import (
	"context"
	"errors"
	"fmt"
)

// maxStatements of a transaction with one message, far more than any needs.
const maxStatements = 200

// failedStatementLeavesNothing fails each statement of each message's transaction in its turn, and looks whether all is
// as it was before, but for its letter; then the message is handled, and the story must go on as if nothing had been.
func (s *stage[I, S, E]) failedStatementLeavesNothing(ctx context.Context) error {
	if err := clearAll(ctx, s.db); err != nil {
		return err
	}
	for _, p := range s.portions(one) {
		if err := s.struck(ctx, p); err != nil {
			return err
		}
	}
	end, err := s.look(ctx)
	if err != nil {
		return err
	}
	return s.plain.compare(end)
}

func (s *stage[I, S, E]) struck(ctx context.Context, p portion[I, S, E]) error {
	if p.aside != nil {
		return p.aside(ctx, s.db)
	}
	id := p.messages[0].ID
	for n := 1; n <= maxStatements; n++ {
		before, err := s.look(ctx)
		if err != nil {
			return err
		}
		s.strikeAt.Store(int64(n))
		refused, err := s.hand(ctx, s.db, s.backend(), []portion[I, S, E]{p})
		struck := s.strikeAt.Swap(0) <= 0
		switch {
		case err != nil:
			return err
		case !struck && refused[id] != nil:
			return fmt.Errorf("%s: refused: %w", s.nameOf(id), refused[id])
		case !struck:
			return nil
		case !errors.Is(refused[id], errStruck):
			return fmt.Errorf("%s: statement %d failed, and the message is told to be done: %w", s.nameOf(id), n,
				refused[id])
		}
		after, err := s.look(ctx)
		if err != nil {
			return err
		}
		if err := before.handled().compare(after.handled()); err != nil {
			return fmt.Errorf("%s: statement %d failed: %w", s.nameOf(id), n, err)
		}
		if err := forgetLetters(ctx, s.db); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s needs more than %d statements", s.nameOf(id), maxStatements)
}
