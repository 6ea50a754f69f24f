package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatienceSaysWhatItWaitsForEveryTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		began := time.Now()
		err := patience{&said}.until(t.Context(), "order to be ready", func() error {
			if time.Since(began) < 25*time.Second {
				return errors.New(`GET /readyz: 503 {"topics":"waiting for topics"}`)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const line = `quadrille: waiting for order to be ready: GET /readyz: 503 {"topics":"waiting for topics"}` + "\n"
		if said.String() != line+line {
			t.Errorf("within 25 s it said\n%s", said.String())
		}
	})
}

func TestPatienceIsSilentForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), tellEvery-time.Millisecond)
		defer cancel()
		err := patience{&said}.until(ctx, "nothing", func() error { return errors.New("not yet") })
		if !errors.Is(err, context.DeadlineExceeded) || said.String() != "" {
			t.Errorf("error %v, said %q", err, said.String())
		}
	})
}
