//go:build compose

// Package compose proves docker-compose.yml and the Dockerfile: `make test-compose` runs it. On a machine that cannot
// pull images, stand-ins take the place of those of others, and the log says so.
package compose

import (
	"testing"
	"time"
)

const (
	// startWithin is how long the platform may take from images that are built to being ready, on two cores.
	startWithin = time.Minute
	// memoryAtMost is what all of the default profile may use.
	memoryAtMost = 1500e6
)

// TestTheComposedPlatform is one story: each part goes on where the one before it stopped.
func TestTheComposedPlatform(t *testing.T) {
	s := newStack(t)
	if err := s.remove(); err != nil { // of a run that was cut short
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"the images of others are there", s.prepare},
		{"images are built, small and without a privilege", s.built},
		{"it comes up", s.comesUp},
		{"an order is confirmed", s.serves},
		{"a killed service comes back and nothing is lost", s.killed},
		{"three replicas of inventory share the work", s.scaled},
		{"payment is upgraded while sagas are under way", s.upgraded},
		{"what was there is there after down and up", s.lasting},
		{"the demonstration runs against it", s.demonstrated},
		{"orders come at a rate", s.loaded},
		{"it is watched", s.watched},
		{"it came up in time, in little memory", s.measured},
	} {
		began := time.Now()
		if !t.Run(part.name, part.run) {
			s.logs(t.Output())
			return
		}
		t.Logf("%s: %s", part.name, time.Since(began).Round(100*time.Millisecond))
	}
}

func (s *stack) comesUp(t *testing.T) {
	s.took = s.up(t)
	s.used = s.memory(t)
	t.Logf("up --wait from built images took %s, the default profile uses %.0f MB", s.took.Round(100*time.Millisecond),
		s.used/1e6)
}

func (s *stack) measured(t *testing.T) {
	if s.took > startWithin {
		t.Errorf("up --wait from built images took %s, more than %s", s.took, startWithin)
	}
	if s.used > memoryAtMost {
		t.Errorf("the default profile uses %.0f MB", s.used/1e6)
	}
}

func (s *stack) serves(t *testing.T) {
	id := s.order(t, "tok_visa")
	s.confirmed(t, id)
	s.holds(t)
}

func (s *stack) demonstrated(t *testing.T) {
	t.Log("\n" + s.demo(t))
	s.used = max(s.used, s.memory(t))
	t.Logf("the default profile used %.0f MB at most", s.used/1e6)
}

// loaded shows what it does under a load that it bears.
func (s *stack) loaded(t *testing.T) {
	t.Log("\n" + s.quadrille(t, "loadtest", "--rate", "20", "--duration", "10s"))
	s.used = max(s.used, s.memory(t))
}
