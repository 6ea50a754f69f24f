package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// stage is a part that runs. Run returns when its context ends, or early with an error.
type stage struct {
	name string
	run  func(context.Context) error
}

// running is a stage that was started.
type running struct {
	stage
	stop func()
	done chan error
}

// runStages starts the stages of all groups and waits until ctx ends or one stage does. Then it stops one group after
// another in their order, each as a whole and before the next, so that what feeds others stops before what it feeds. A
// stage that has not ended after the time within is left behind, and named by the error. The error names the stage that
// failed first, then those that could not end well after it.
func runStages(ctx context.Context, within time.Duration, groups ...[]stage) error {
	var count int
	for _, g := range groups {
		count += len(g)
	}
	ended := make(chan string, count)
	all := make([][]running, len(groups))
	for i, g := range groups {
		for _, s := range g {
			all[i] = append(all[i], start(ctx, s, ended))
		}
	}

	first := ""
	select {
	case <-ctx.Done():
	case first = <-ended:
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	var errs []error
	for _, g := range all {
		for _, r := range g {
			r.stop()
		}
		given := late.Err() == nil // else it was given no time, and is not to blame
		for _, r := range g {
			has, err := r.end(late)
			if !has && given {
				err = fmt.Errorf("%s did not end within %s of the order to stop, and is given up", r.name, within)
			}
			if r.name == first {
				errs = slices.Insert(errs, 0, err)
				continue
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// start starts a stage, which tells its name when it has ended.
func start(ctx context.Context, s stage, ended chan<- string) running {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := running{s, stop, make(chan error, 1)}
	go func() {
		err := s.run(ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
		} else if ctx.Err() == nil {
			err = fmt.Errorf("%s ended by itself", s.name)
		}
		r.done <- err
		ended <- s.name
	}()
	return r
}

// end waits until the stage has ended, for as long as late has not, and returns with what error.
func (r running) end(late context.Context) (has bool, err error) {
	select {
	case err := <-r.done:
		return true, err
	case <-late.Done():
	}
	select {
	case err := <-r.done:
		return true, err
	default:
		return false, nil
	}
}
