package service_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func TestCommandThatIsNotTakenInTimeIsToldToComeBack(t *testing.T) {
	// The unit does not run, so that nothing is ever taken.
	unit := work.New(work.Service[sale, struct{}, sold]{Name: "till"}, nil, work.Config{TakeWithin: time.Millisecond})
	p := &parts{Config: service.Config{Clock: time.Now}, Unit: unit}
	_, err := p.Do(t.Context(), service.Command[sale]{Body: "x", Input: sale{id: "a"}})
	problem, ok := errors.AsType[*httpapi.Problem](err)
	if !ok || problem.Status != http.StatusServiceUnavailable || problem.GetHeaders().Get("Retry-After") == "" {
		t.Errorf("error %v", err)
	}
}

func TestCommandWhoseBodyCannotBeDigestedIsNotDone(t *testing.T) {
	p := &parts{Config: service.Config{Clock: time.Now}}
	if _, err := p.Do(t.Context(), service.Command[sale]{Body: make(chan int)}); err == nil {
		t.Error("no error")
	}
}

func TestProblem(t *testing.T) {
	gone := errors.New("gone")
	for name, test := range map[string]struct {
		err  error
		want int // 0: the error stays as it is
	}{
		"a reused key":             {work.ErrReused, http.StatusConflict},
		"a full queue":             {work.ErrBusy, http.StatusServiceUnavailable},
		"stopped":                  {work.ErrStopped, http.StatusServiceUnavailable},
		"a conflict that recurs":   {work.ErrConflict, http.StatusServiceUnavailable},
		"a database too slow":      {context.DeadlineExceeded, http.StatusServiceUnavailable},
		"a decide that panicked":   {work.ErrPanic, 0},
		"the caller is gone":       {context.Canceled, 0},
		"any other error":          {gone, 0},
		"a problem from elsewhere": {httpapi.NotFound(""), http.StatusNotFound},
	} {
		err := fmt.Errorf("sell: %w", test.err)
		got := service.Problem(err)
		problem, ok := errors.AsType[*httpapi.Problem](got)
		switch {
		case test.want == 0 && got != err: //nolint:errorlint // the very same error is asked for
			t.Errorf("%s: %v, want it unchanged", name, got)
		case test.want != 0 && (!ok || problem.Status != test.want):
			t.Errorf("%s: %v, want status %d", name, got, test.want)
		case test.want == http.StatusServiceUnavailable && problem.GetHeaders().Get("Retry-After") == "":
			t.Errorf("%s: no Retry-After", name)
		}
	}
	if got := service.Problem(nil); got != nil {
		t.Errorf("no error: %v", got)
	}
}
