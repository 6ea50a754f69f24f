package service

import "context"

// gate holds stages back until a condition is met.
type gate struct {
	wait func(context.Context) error
	open chan struct{}
}

// newGate returns a gate that opens when wait returns nil, which ends early with its context's error only.
func newGate(wait func(context.Context) error) *gate { return &gate{wait, make(chan struct{})} }

// run is the stage that waits.
func (g *gate) run(ctx context.Context) error {
	err := g.wait(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	close(g.open)
	<-ctx.Done()
	return nil
}

// then returns fn as a stage that begins once the gate is open.
func (g *gate) then(fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-g.open:
			return fn(ctx)
		}
	}
}
