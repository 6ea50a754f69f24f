package upgrade

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// buyers at a time. Each waits for its order to be decided, so that the load is what the machine bears.
const buyers = 4

// buyer says where to buy and from which sales channel.
type buyer struct {
	at      *client.Client
	channel string
}

// purchase is an order that was accepted.
type purchase struct {
	id, channel string
	declined    bool
}

// load places orders until it is ended.
type load struct {
	group  errgroup.Group
	ended  chan struct{}
	change sync.RWMutex // held by whoever buys, and by who changes where

	mu     sync.Mutex
	at     []buyer
	tries  int
	bought []purchase
}

// startLoad starts one. If an order is not accepted it calls failed, once at least.
func startLoad(ctx context.Context, failed func(), at ...buyer) *load {
	l := &load{ended: make(chan struct{}), at: at}
	for range buyers {
		l.group.Go(func() error {
			for {
				select {
				case <-l.ended:
					return nil
				default:
				}
				if err := l.buy(ctx); err != nil {
					failed()
					return err
				}
			}
		})
	}
	return l
}

// buyAt makes all buy here, by turns, and returns once nobody buys elsewhere any more.
func (l *load) buyAt(at ...buyer) {
	l.change.Lock()
	defer l.change.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = at
}

func (l *load) buy(ctx context.Context) error {
	l.change.RLock()
	defer l.change.RUnlock()
	l.mu.Lock()
	l.tries++
	turn := l.tries
	from := l.at[turn%len(l.at)]
	l.mu.Unlock()

	p := purchase{channel: from.channel, declined: turn%7 == 0}
	token := "tok_visa"
	if p.declined {
		token = "tok_declined"
	}
	wanted := client.Buy(token, client.Line{SKU: sku, Quantity: 1})
	wanted.SalesChannel = from.channel
	o, err := from.at.Place(ctx, wanted)
	if err != nil {
		return fmt.Errorf("place an order: %w", err)
	}
	p.id = o.ID
	l.mu.Lock()
	l.bought = append(l.bought, p)
	l.mu.Unlock()
	if _, err := from.at.Decided(ctx, o.ID); err != nil {
		return fmt.Errorf("wait for an order: %w", err)
	}
	return nil
}

// placed is nil once n more orders than now were placed from a channel.
func (l *load) placed(channel string, n int) func() error {
	want := l.count(channel) + n
	return func() error {
		if got := l.count(channel); got < want {
			return fmt.Errorf("%d of %d orders from %q", got, want, channel)
		}
		return nil
	}
}

func (l *load) count(channel string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.bought {
		if p.channel == channel {
			n++
		}
	}
	return n
}

// sample is an order from a channel.
func (l *load) sample(channel string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.bought {
		if p.channel == channel {
			return p.id
		}
	}
	return ""
}

// end stops it, once, and returns all that was bought.
func (l *load) end() ([]purchase, error) {
	close(l.ended)
	err := l.group.Wait()
	return l.bought, err
}
