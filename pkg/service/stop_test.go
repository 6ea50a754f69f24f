package service_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// slowTill is a till with a request that takes until it is released.
func slowTill(heard chan<- event.Event) (definition till, asked <-chan struct{}, release chan<- struct{}) {
	in, out := make(chan struct{}), make(chan struct{})
	definition = newTill(heard)
	definition.Routes = func(api huma.API, p *parts) {
		routes(api, p)
		huma.Get(api, "/v1/slow", func(context.Context, *struct{}) (*struct{}, error) {
			close(in)
			<-out
			return nil, nil
		})
	}
	return definition, in, out
}

// leaves counts the heartbeats by which members leave the group for good.
func leaves(cluster *kfake.Cluster) *atomic.Int32 {
	const leave = -1 // the member epoch of KIP-848
	var count atomic.Int32
	cluster.ControlKey(int16(kmsg.ConsumerGroupHeartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if req.(*kmsg.ConsumerGroupHeartbeatRequest).MemberEpoch == leave {
			count.Add(1)
		}
		return nil, nil, false
	})
	return &count
}

// awaitMembers waits until the till's group has that many members, however long it takes.
func (p *platform) awaitMembers(t *testing.T, n int) {
	t.Helper()
	_, err := p.cluster.WaitGroupInfo(t.Context(), "till", func(info *kfake.GroupInfo) bool {
		return info != nil && len(info.Members) == n
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAStopLeavesTheGroupAtOnce: the successor gets the partitions while requests are still drained.
func TestAStopLeavesTheGroupAtOnce(t *testing.T) {
	p := newPlatform(t)
	p.cfg.Drain = time.Hour
	left := leaves(p.cluster)
	definition, asked, release := slowTill(make(chan event.Event, 10))
	stop := p.runs(t, definition)
	p.awaitReadiness(t, isReady)

	answered := make(chan int, 1)
	go func() {
		answer, err := http.Get("http://" + p.cfg.HTTPAddr + "/v1/slow")
		if err != nil {
			answered <- 0
			return
		}
		defer answer.Body.Close()
		answered <- answer.StatusCode
	}()
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	p.awaitMembers(t, 0)
	if n := left.Load(); n != 1 {
		t.Errorf("%d goodbyes: the group got rid of it by other means", n)
	}

	successor := *p
	successor.cfg.HTTPAddr, successor.cfg.AdminAddr = freeAddr(t), freeAddr(t)
	successor.cfg.DatabaseURL = strings.Replace(p.cfg.DatabaseURL, "till.db", "successor.db", 1)
	heard, stopSuccessor := successor.run(t)
	successor.awaitReadiness(t, isReady)
	successor.sell(t, "taken over", "", "")
	if e := <-heard; e.Key != "taken over" {
		t.Errorf("the successor heard of %q", e.Key)
	}
	if err := stopSuccessor(); err != nil {
		t.Errorf("a clean stop of the successor = %v", err)
	}

	select {
	case status := <-answered:
		t.Errorf("answered %d before it was released", status)
	case err := <-ended:
		t.Errorf("ended with a request in work: %v", err)
	default:
	}
	close(release)
	if status := <-answered; status != http.StatusNoContent {
		t.Errorf("the request in work was answered %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

func TestAPartThatHangsEndsTheDrain(t *testing.T) {
	p := newPlatform(t)
	p.cfg.Drain = 100 * time.Millisecond
	hang := make(chan struct{})
	defer close(hang)
	definition := newTill(make(chan event.Event, 10))
	definition.Background = func(*parts) []func(context.Context) error {
		return []func(context.Context) error{func(context.Context) error {
			<-hang
			return nil
		}}
	}
	stop := p.runs(t, definition)
	p.awaitReadiness(t, isReady)
	if err := stop(); err == nil || !strings.Contains(err.Error(), "background 0 did not end within 200ms") {
		t.Errorf("error %v", err)
	}
}
