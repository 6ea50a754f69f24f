package demo

import (
	"os"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

func TestThePartOfTheWorldThatIsKilledComesBackAsAnotherProcess(t *testing.T) {
	t.Setenv(role, "broker")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := newBroker(self, "127.0.0.1:1", t.TempDir())
	refusal(t, o.start(t.Context()), "")
	first := o.process.PID()
	refusal(t, o.kill(), "")
	if !launch.Ended(first) {
		t.Errorf("process %d still runs", first)
	}
	refusal(t, o.stop(), "") // nothing is there
	refusal(t, o.start(t.Context()), "")
	if second := o.process.PID(); second == first {
		t.Errorf("it is process %d again", second)
	}
	refusal(t, o.stop(), "the disk is full")
}

func TestAPartOfTheWorldThatDoesNotStartIsTold(t *testing.T) {
	t.Setenv(role, "gone")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*outside{
		newBroker(self, "127.0.0.1:1", t.TempDir()), newGateway(self, "127.0.0.1:1", t.TempDir()),
	} {
		refusal(t, o.start(t.Context()), o.cfg.Args[0]+" ended")
	}
}
