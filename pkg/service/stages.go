package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// stage is a part that runs. Run returns when its context ends, or early with an error.
type stage struct {
	name string
	run  func(context.Context) error
}

// runStages starts all stages and waits until ctx ends or one of them does. Then it stops them one after another in
// their order, each before the next, so that what feeds others stops before what it feeds. The error names the stage
// that failed first, then those that could not end well after it.
func runStages(ctx context.Context, stages []stage) error {
	type running struct {
		stop func()
		done chan error
	}
	ended := make(chan int, len(stages))
	all := make([]running, len(stages))
	for i, s := range stages {
		stageCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan error, 1)
		all[i] = running{stop, done}
		go func() {
			err := s.run(stageCtx)
			if err != nil {
				err = fmt.Errorf("%s: %w", s.name, err)
			} else if stageCtx.Err() == nil {
				err = fmt.Errorf("%s ended by itself", s.name)
			}
			done <- err
			ended <- i
		}()
	}

	first := -1
	select {
	case <-ctx.Done():
	case first = <-ended:
	}
	var errs []error
	for i, r := range all {
		r.stop()
		err := <-r.done
		if i == first {
			errs = slices.Insert(errs, 0, err)
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
