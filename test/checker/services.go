package checker

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// atATime is how many requests a gathering makes at once.
const atATime = 8

// maxLetters is more than any test leaves.
const maxLetters = 100_000

func listOrders(ctx context.Context, from Sources, s *State) (err error) {
	if from.Services["order"] == "" {
		return nil
	}
	if s.Orders, err = from.Orders(ctx); err != nil {
		return fmt.Errorf("list the orders: %w", err)
	}
	return nil
}

func readOrders(ctx context.Context, from Sources, s *State) error {
	if from.Services["order"] == "" {
		return nil
	}
	if err := listOrders(ctx, from, s); err != nil {
		return err
	}
	var err error
	if s.Catalogue, err = from.Products(ctx, "order"); err != nil {
		return fmt.Errorf("list what order sells: %w", err)
	}
	if s.Shown, err = byOrder(ctx, s.Orders, from.Order); err != nil {
		return fmt.Errorf("read the orders: %w", err)
	}
	if s.Histories, err = byOrder(ctx, s.Orders, from.History); err != nil {
		return fmt.Errorf("read the histories: %w", err)
	}
	return nil
}

func readInventory(ctx context.Context, from Sources, s *State) (err error) {
	if from.Services["inventory"] == "" {
		return nil
	}
	if s.Products, err = from.Products(ctx, "inventory"); err != nil {
		return fmt.Errorf("list the products: %w", err)
	}
	if s.Reservations, err = byOrder(ctx, s.Orders, from.Reservation); err != nil {
		return fmt.Errorf("read the reservations: %w", err)
	}
	return nil
}

func readPayments(ctx context.Context, from Sources, s *State) (err error) {
	if from.Services["payment"] == "" {
		return nil
	}
	if s.Payments, err = byOrder(ctx, s.Orders, from.Payment); err != nil {
		return fmt.Errorf("read the payments: %w", err)
	}
	if s.Ledger, err = from.WholeLedger(ctx); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	return nil
}

func readNotifications(ctx context.Context, from Sources, s *State) (err error) {
	if from.Services["notification"] == "" {
		return nil
	}
	if s.Notifications, err = from.AllNotifications(ctx); err != nil {
		return fmt.Errorf("list the notifications: %w", err)
	}
	return nil
}

// readLetters lists what the services could not handle.
func readLetters(ctx context.Context, from Sources, s *State) error {
	s.Letters = make(map[string][]client.DeadLetter)
	for name := range from.Admin {
		letters, _, err := from.DeadLetters(ctx, name, client.DeadLetterFilter{}, maxLetters)
		if err != nil {
			return fmt.Errorf("list the letters of %s: %w", name, err)
		}
		s.Letters[name] = letters
	}
	return nil
}

// readOutside reads what the world around the services has noted.
func readOutside(ctx context.Context, from Sources, s *State) (err error) {
	if from.Gateway != "" {
		if s.Operations, err = from.Operations(ctx); err != nil {
			return fmt.Errorf("read the gateway's record: %w", err)
		}
		if s.Operations == nil {
			s.Operations = []client.Operation{}
		}
	}
	if from.Mail != "" {
		if s.Mails, err = from.AllMails(ctx); err != nil {
			return fmt.Errorf("list the mails: %w", err)
		}
		if s.Mails == nil {
			s.Mails = []client.Mail{}
		}
	}
	return nil
}

// byOrder reads something of each order. What there is none of is left out.
func byOrder[T any](ctx context.Context, orders []client.Order, read func(context.Context, string) (T, error)) (
	map[string]T, error) {
	found := make(map[string]T, len(orders))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atATime)
	for _, o := range orders {
		g.Go(func() error {
			value, err := read(ctx, o.ID)
			if client.StatusOf(err) == http.StatusNotFound {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			found[o.ID] = value
			return err
		})
	}
	return found, g.Wait()
}
