package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// journal keeps in which order stages began to stop and ended.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// stage runs until it is stopped, and then ends with err.
func (j *journal) stage(name string, started *sync.WaitGroup, err error) stage {
	started.Add(1)
	return stage{name, func(ctx context.Context) error {
		started.Done()
		<-ctx.Done()
		j.add(name + " stops")
		j.add(name + " ended")
		return err
	}}
}

func TestGroupsStopOneAfterAnother(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	groups := [][]stage{
		{j.stage("api", &started, nil)}, {j.stage("unit", &started, nil)}, {j.stage("relay", &started, nil)},
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		started.Wait()
		cancel()
	}()
	if err := runStages(ctx, time.Minute, groups...); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
	want := []string{"api stops", "api ended", "unit stops", "unit ended", "relay stops", "relay ended"}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestAGroupStopsAsOne(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	released := make(chan struct{})
	api, consumer := j.stage("api", &started, nil), j.stage("consumer", &started, nil)
	drains := stage{"api", func(ctx context.Context) error {
		err := api.run(ctx)
		<-released
		return err
	}}
	leaves := stage{"consumer", func(ctx context.Context) error {
		defer close(released)
		return consumer.run(ctx)
	}}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		started.Wait()
		cancel()
	}()
	// It would not return if the consumer had to wait for the API.
	err := runStages(ctx, time.Minute, []stage{drains, leaves}, []stage{j.stage("unit", &started, nil)})
	if err != nil {
		t.Errorf("a clean stop = %v", err)
	}
	if last := j.lines[len(j.lines)-2]; last != "unit stops" {
		t.Errorf("order %q", j.lines)
	}
}

func TestStageThatDoesNotEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		var started sync.WaitGroup
		stuck := make(chan struct{})
		hangs := stage{"consumer", func(context.Context) error {
			<-stuck
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		err := runStages(ctx, time.Minute, []stage{hangs, j.stage("api", &started, nil)},
			[]stage{j.stage("unit", &started, nil)})
		if want := "consumer did not end within 1m0s of the order to stop, and is given up"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		close(stuck)
		synctest.Wait()
		if !slices.Contains(j.lines, "unit ended") {
			t.Errorf("only %q, though all were told to stop", j.lines)
		}
	})
}

func TestFirstFailureStopsAllStagesAndComesFirst(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	broken, consequence := errors.New("disk full"), errors.New("unit is gone")
	failing := stage{"relay", func(context.Context) error {
		started.Wait()
		return broken
	}}
	err := runStages(t.Context(), time.Minute,
		[]stage{j.stage("api", &started, consequence)}, []stage{failing}, []stage{j.stage("unit", &started, nil)})
	if !errors.Is(err, broken) || !errors.Is(err, consequence) {
		t.Fatalf("error %v", err)
	}
	if want := "relay: disk full\napi: unit is gone"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	want := []string{"api stops", "api ended", "unit stops", "unit ended"}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestStageThatEndsByItselfIsAFailure(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	quitter := stage{"timers", func(context.Context) error { return nil }}
	err := runStages(t.Context(), time.Minute, []stage{j.stage("api", &started, nil), quitter})
	if err == nil || !strings.Contains(err.Error(), "timers ended by itself") {
		t.Errorf("error %v", err)
	}
}
