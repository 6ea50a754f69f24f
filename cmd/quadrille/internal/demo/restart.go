package demo

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// restart: power is cut for all at once. What was answered is there afterwards, and what was begun goes on.
func restart(s *scene) {
	tea := s.stocked(2 * crowd)
	done := s.ends(s.place("tok_visa", tea, 1).ID, confirmed)
	s.again = nil // the tape of the first start ends with it
	story := s.tape.about(done.ID)
	pids := s.processes()

	ids := s.rush(tea)
	s.until("the first events of payment", func() error { return s.begun("payment", ids) })
	s.check(s.site.Stop(syscall.SIGKILL))
	under := s.underWay(ids)
	s.until("the end of all processes", func() error {
		for service, pid := range pids {
			if !launch.Ended(pid) {
				return fmt.Errorf("process %d of %s still runs", pid, service)
			}
		}
		return nil
	})
	s.check(s.site.again(s.ctx))
	s.rewind()

	now, err := s.Order(s.ctx, done.ID)
	s.check(err)
	if now.Version != done.Version || now.Status != done.Status || now.Total != done.Total {
		s.fail("order %s was %+v and is %+v", done.ID, done, now)
	}
	s.until("the log of what was before", func() error {
		return sameRecords(story, s.tape.about(done.ID))
	})
	for _, id := range ids {
		s.ends(id, confirmed)
	}
	s.levels(tea, 2*crowd, crowd+1)
	s.saw("%d of %d sagas under way, ready again after %.1f s", under, crowd, s.site.Took.Seconds())
}

// processes are the ids of all of the services' processes.
func (s *scene) processes() map[string]int {
	pids := make(map[string]int)
	for service := range s.Services {
		i, err := s.Instance(s.ctx, service)
		s.check(err)
		pids[service] = i.PID
	}
	return pids
}

// rewind has the scene meet the platform that was started again, and read its topics from their beginning.
func (s *scene) rewind() {
	again, err := newTape(s.ctx, s.site.Addresses, fromStart)
	s.check(err)
	s.check(s.tape.stop())
	s.tape = again
	s.meet(s.site.Client)
}

// sameRecords checks that the records of a key that were there are there still.
func sameRecords(before, after []record) error {
	if len(before) == 0 {
		return errors.New("there were none")
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a record) bool {
			return a.ID == b.ID && a.raw.Partition == b.raw.Partition && a.raw.Offset == b.raw.Offset
		}) {
			return fmt.Errorf("%s at offset %d is gone", b.Kind, b.raw.Offset)
		}
	}
	return nil
}
