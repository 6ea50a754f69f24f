package demo

import (
	"fmt"
	"syscall"

	"github.com/twmb/franz-go/pkg/kadm"
)

// twoReplicas: both processes are members of one consumer group and share one database; each handles the events of the
// partitions that it owns.
func twoReplicas(s *scene) {
	tea := s.stocked(2 * crowd)
	second, err := s.site.Replica(s.ctx, "inventory", s.site.database)
	s.check(err)
	defer func() {
		if err := second.Stop(syscall.SIGTERM); err != nil && s.err == nil {
			s.err = err
		}
	}()
	owned := s.shared("inventory", 2)
	admins := []string{s.Admin["inventory"], second.Admin}
	pids, before := s.processesAt(admins), s.handled(admins)
	if pids[0] == pids[1] || pids[1] != second.PID() {
		s.fail("the replicas are the processes %v", pids)
	}

	for _, id := range s.rush(tea) {
		s.ends(id, confirmed)
	}
	handled := s.handled(admins)
	for i := range handled {
		handled[i] -= before[i]
	}
	// Of each order OrderPlaced and OrderConfirmed.
	if handled[0] == 0 || handled[1] == 0 || handled[0]+handled[1] < 2*crowd {
		s.fail("the replicas have handled %v messages of %d orders", handled, crowd)
	}
	s.levels(tea, 2*crowd, crowd)
	s.saw("pids %v, partitions %v, messages %v", pids, owned, handled)
}

// shared waits until the members of a group own partitions, each some, and returns how many.
func (s *scene) shared(group string, members int) (owned []int) {
	admin := kadm.NewClient(s.tape.client)
	s.until("each replica of "+group+" to own partitions", func() error {
		groups, err := admin.DescribeConsumerGroups(s.ctx, group)
		if err != nil {
			return err
		}
		described := groups[group]
		if described.Err != nil {
			return described.Err
		}
		owned = nil
		for _, m := range described.Members {
			n := 0
			for _, partitions := range m.Assignment {
				n += len(partitions)
			}
			if n > 0 {
				owned = append(owned, n)
			}
		}
		if len(owned) != members {
			return fmt.Errorf("%d members own %v", len(described.Members), owned)
		}
		return nil
	})
	return owned
}

// processesAt are the ids of those that answer at admin listeners.
func (s *scene) processesAt(admins []string) []int {
	pids := make([]int, len(admins))
	for i, addr := range admins {
		instance, err := s.InstanceAt(s.ctx, addr)
		s.check(err)
		pids[i] = instance.PID
	}
	return pids
}

// handled are the messages that each process has committed since its start.
func (s *scene) handled(admins []string) []float64 {
	counts := make([]float64, len(admins))
	for i, addr := range admins {
		n, err := s.MetricAt(s.ctx, addr, "quadrille_work_messages_total")
		s.check(err)
		counts[i] = n
	}
	return counts
}
