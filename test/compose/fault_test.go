//go:build compose

package compose

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// killed ends payment's process as a lack of memory does. `docker kill` would be an order to stay away.
func (s *stack) killed(t *testing.T) {
	container := s.containers(t, "payment")[0]
	id := s.inspect(t, container, "{{.Id}}")
	pid, err := strconv.Atoi(s.inspect(t, container, "{{.State.Pid}}"))
	if err != nil {
		t.Fatal(err)
	}
	// An engine may run on another machine, whose ids of processes mean something else here.
	if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err != nil || !strings.Contains(string(group), id) {
		t.Fatalf("process %d is not that of container %s: the engine has to run on this machine (%v)", pid, id, err)
	}
	ids := s.rush(t)
	under := s.underWay(t, ids)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ids = append(ids, s.order(t, "tok_visa")) // it is taken meanwhile
	s.until(t, "payment to be started again", func(context.Context) error {
		if n := s.inspect(t, container, "{{.RestartCount}} {{.State.Health.Status}}"); n != "1 healthy" {
			return fmt.Errorf("restarts and health: %s", n)
		}
		return nil
	})
	s.confirmed(t, ids...)
	s.holds(t)
	t.Logf("killed with %d of %d sagas under way", under, len(ids))
}

func (s *stack) scaled(t *testing.T) {
	s.up(t, "--no-recreate", "--scale", "inventory=3")
	var shares []int
	s.until(t, "three members of the group to own partitions", func(ctx context.Context) (err error) {
		if shares, err = s.shares(ctx, "inventory"); err == nil && len(shares) != 3 {
			err = fmt.Errorf("they own %v", shares)
		}
		return err
	})
	s.confirmed(t, s.rush(t)...)
	s.holds(t)
	t.Logf("replicas own %v partitions", shares)
}

// shares are how many partitions each member of a group owns that owns any.
func (s *stack) shares(ctx context.Context, group string) (shares []int, err error) {
	kafka, err := kgo.NewClient(kgo.SeedBrokers(s.Kafka))
	if err != nil {
		return nil, err
	}
	defer kafka.Close()
	groups, err := kadm.NewClient(kafka).DescribeConsumerGroups(ctx, group)
	if err != nil {
		return nil, err
	}
	for _, m := range groups[group].Members {
		n := 0
		for _, partitions := range m.Assignment {
			n += len(partitions)
		}
		if n > 0 {
			shares = append(shares, n)
		}
	}
	return shares, groups[group].Err
}

// upgraded replaces payment by its next release. All of its images are built for that, for they come up next.
func (s *stack) upgraded(t *testing.T) {
	s.engine = s.engine.With("IMAGE_VERSION=proof-2", "IMAGE_REVISION=fedcba9876543210")
	s.must(t, "build")
	ids := s.rush(t)
	under := s.underWay(t, ids)
	took := s.up(t, "--no-deps", "payment")
	s.confirmed(t, append(ids, s.rush(t)...)...)
	now, err := s.Instance(t.Context(), "payment")
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Instance(t.Context(), "order")
	if err != nil {
		t.Fatal(err)
	}
	want := client.Instance{Service: "payment", Version: "proof-2", Revision: "fedcba9876543210", PID: now.PID}
	if now != want || other.Version != "proof-1" {
		t.Errorf("payment is %+v, order %+v", now, other)
	}
	s.holds(t)
	t.Logf("replaced in %s with %d of %d sagas under way", took, under, len(ids))
}
