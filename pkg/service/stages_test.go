package service

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

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

func TestStagesStopOneAfterAnother(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	stages := []stage{j.stage("api", &started, nil), j.stage("unit", &started, nil), j.stage("relay", &started, nil)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		started.Wait()
		cancel()
	}()
	if err := runStages(ctx, stages); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
	want := []string{"api stops", "api ended", "unit stops", "unit ended", "relay stops", "relay ended"}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFirstFailureStopsAllStagesAndComesFirst(t *testing.T) {
	var j journal
	var started sync.WaitGroup
	broken, consequence := errors.New("disk full"), errors.New("unit is gone")
	failing := stage{"relay", func(context.Context) error {
		started.Wait()
		return broken
	}}
	stages := []stage{j.stage("api", &started, consequence), failing, j.stage("unit", &started, nil)}
	err := runStages(t.Context(), stages)
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
	err := runStages(t.Context(), []stage{j.stage("api", &started, nil), quitter})
	if err == nil || !strings.Contains(err.Error(), "timers ended by itself") {
		t.Errorf("error %v", err)
	}
}
