package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// service answers each order after a while with what status says.
type service struct {
	after  time.Duration
	status func(n int64) int
	seen   atomic.Int64
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	n := s.seen.Add(1) - 1
	select {
	case <-time.After(s.after):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	code := http.StatusAccepted
	if s.status != nil {
		code = s.status(n)
	}
	return &http.Response{
		StatusCode: code, Status: strconv.Itoa(code) + " " + http.StatusText(code),
		Header: http.Header{"Location": {"/v1/orders/" + strconv.FormatInt(n, 10)}},
		Body:   io.NopCloser(strings.NewReader("said")),
	}, nil
}

func tea(int) client.Purchase {
	return client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 1})
}

func TestOrdersGoOutOnScheduleHoweverSlowTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Order: "order", Purchase: tea, Transport: &service{after: 5 * time.Second}})
		began := time.Now()
		l.Run(t.Context(), 100, 2*time.Second)
		if took := time.Since(began); took < 6900*time.Millisecond || took > 7*time.Second {
			t.Errorf("took %s, want 2 s of load and 5 s for the last answer", took)
		}
		accepted := l.Drain()
		if c := l.Counts(); len(accepted) != 200 || c.Sent != 200 || c.Accepted != 200 || c.Waiting != 0 || c.MaxLate > 2*tick {
			t.Errorf("%d accepted, counts %+v", len(accepted), c)
		}
		for _, a := range accepted {
			if took := a.Answered.Sub(a.Due); took < 5*time.Second || took > 5*time.Second+2*tick {
				t.Fatalf("an answer after 5 s is %s behind its order", took)
			}
		}
		if again := l.Drain(); len(again) != 0 {
			t.Errorf("drained %d twice", len(again))
		}
	})
}

func TestWhatWaitsIsBoundedAndItsLatencyCountsFromWhenItWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Ten a second pass where a hundred are due: the last of 100 goes out nine seconds late.
		l := New(Config{Order: "order", Purchase: tea, Transport: &service{after: time.Second}, MaxWaiting: 10})
		l.Run(t.Context(), 100, time.Second)
		c := l.Counts()
		if c.Sent != 100 || c.MaxLate < 8*time.Second || c.MaxLate > 9*time.Second || c.Late != c.MaxLate {
			t.Errorf("counts %+v", c)
		}
		worst := time.Duration(0)
		for _, a := range l.Drain() {
			worst = max(worst, a.Answered.Sub(a.Due))
		}
		if worst != c.MaxLate+time.Second {
			t.Errorf("the worst answer took %s, sent %s late and answered in a second", worst, c.MaxLate)
		}
	})
}

func TestWhatWasDueIsGivenUpAfterTheOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{
			Order: "order", Purchase: tea, Transport: &service{after: time.Second}, MaxWaiting: 10, Overrun: 2500 * time.Millisecond,
		})
		began := time.Now()
		l.Run(t.Context(), 100, time.Second)
		// Ten go out at once and ten after each second, the last after three.
		if c, took := l.Counts(), time.Since(began); c.Sent != 40 || c.Accepted != 40 || c.Unsent != 60 || took > 5*time.Second {
			t.Errorf("after %s %+v", took, c)
		}
	})
}

func TestRefusalsAreCountedByWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Order: "order", Purchase: tea, Transport: &service{status: func(n int64) int {
			if n%4 == 0 {
				return http.StatusServiceUnavailable
			}
			return http.StatusAccepted
		}}})
		l.Run(t.Context(), 100, time.Second)
		c := l.Counts()
		if c.Accepted != 75 || c.Refused != 25 || c.Refusals["503 Service Unavailable"] != 25 ||
			c.Why == nil || c.Why.Error() != "503 Service Unavailable: said" {
			t.Errorf("counts %+v", c)
		}
	})
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }

func TestAPlatformThatIsAwayGivesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Order: "order", Purchase: tea, Transport: broken{}})
		l.Run(t.Context(), 10, time.Second)
		if c := l.Counts(); c.Refusals["no answer"] != 10 || !strings.Contains(c.Why.Error(), "refused") {
			t.Errorf("counts %+v", c)
		}
	})
}

func TestALoadThatIsCutShortWaitsForAnswersAWhile(t *testing.T) {
	for name, test := range map[string]struct {
		after, took time.Duration
		accepted    bool
	}{
		"that come":       {time.Second, 3 * time.Second, true},
		"that never come": {time.Hour, 2*time.Second + grace, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				l := New(Config{Order: "order", Purchase: tea, Transport: &service{after: test.after}})
				began := time.Now()
				l.Run(ctx, 10, time.Hour)
				c := l.Counts()
				if took := time.Since(began); (took-test.took).Abs() > 200*time.Millisecond || c.Sent < 20 || c.Sent > 21 {
					t.Errorf("took %s, counts %+v", took, c)
				}
				if (c.Accepted == c.Sent) != test.accepted || c.Waiting != 0 {
					t.Errorf("counts %+v", c)
				}
			})
		})
	}
}
