package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateHoldsStagesBackUntilItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there, began := make(chan struct{}), false
		g := newGate(func(context.Context) error {
			<-there
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- runStages(ctx, time.Minute, []stage{{"topics", g.run}, {"relay", g.then(func(ctx context.Context) error {
				began = true
				<-ctx.Done()
				return nil
			})}})
		}()
		synctest.Wait()
		if began {
			t.Error("begun while the gate was closed")
		}
		close(there)
		synctest.Wait()
		if !began {
			t.Error("not begun though the gate is open")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("a clean stop = %v", err)
		}
	})
}

func TestGateThatStaysClosedCanBeStopped(t *testing.T) {
	g := newGate(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := g.then(func(context.Context) error { return errors.New("begun") })
	if err := runStages(ctx, time.Minute, []stage{{"topics", g.run}, {"relay", never}}); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}
