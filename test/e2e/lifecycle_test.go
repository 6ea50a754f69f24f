package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

func TestAnOrderTellsItsWholeStory(t *testing.T) {
	p := up(t, "--ephemeral")
	began := time.Now().Add(-p.Took)
	placed := p.place(t, "tok_visa", line{"tea-001", 2}, line{"cup-001", 1}, line{"pot-001", 1})
	waited := order{}
	url := "http://" + p.Services["order"] + "/v1/orders/" + placed.ID + "?wait=30s"
	if _, err := call(http.MethodGet, url, nil, nil, &waited); err != nil || waited.Status != "confirmed" {
		t.Fatalf("waited for %+v (%v)", waited, err)
	}
	t.Logf("ready %s after the start of up, the first order confirmed after %s", p.Took, time.Since(began))
	if o := p.completed(t, placed.ID); o.Status != "confirmed" {
		t.Fatalf("ended as %+v", o)
	}
	var history struct {
		Items []struct {
			ID, Type      string
			Version       int64
			Published     bool
			CorrelationID string `json:"correlation_id"`
			CausationID   string `json:"causation_id"`
		}
	}
	if _, err := call(http.MethodGet, "http://"+p.Services["order"]+"/v1/orders/"+placed.ID+"/events", nil, nil, &history); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, e := range history.Items {
		seen[e.Type] = true
		if e.Version != int64(i+1) || e.CorrelationID != history.Items[0].CorrelationID || e.CausationID == "" || e.ID == "" {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	for _, want := range []string{
		"OrderPlaced", "StockReserved", "PaymentAuthorized", "OrderConfirmed", "StockCommitted", "PaymentCaptured",
	} {
		if !seen[want] {
			t.Errorf("the history lacks %s: %+v", want, history.Items)
		}
	}
}

func TestASecondStartFindsEverythingAsTheFirstLeftIt(t *testing.T) {
	data := t.TempDir()
	first := up(t, "--data", data)
	placed := first.place(t, "tok_visa", line{"tea-001", 3})
	before := first.completed(t, placed.ID)
	levels, ids, ends := first.levels(t, "tea-001"), first.schemaIDs(t), first.endOffsets(t)
	if err := first.Stop(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}

	second := up(t, "--data", data)
	if diff := cmp.Diff(before, second.completed(t, placed.ID)); diff != "" {
		t.Errorf("the order changed (-before +after):\n%s", diff)
	}
	if got := second.levels(t, "tea-001"); got != levels {
		t.Errorf("stock is %+v, was %+v", got, levels)
	}
	if diff := cmp.Diff(ids, second.schemaIDs(t)); diff != "" {
		t.Errorf("schema ids changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(ends, second.endOffsets(t)); diff != "" {
		t.Errorf("the logs changed (-before +after):\n%s", diff)
	}
	again := second.place(t, "tok_visa", line{"tea-001", 1})
	if o := second.completed(t, again.ID); o.Status != "confirmed" {
		t.Errorf("an order after the restart ended as %+v", o)
	}
}

// schemaIDs by subject.
func (p *platform) schemaIDs(t *testing.T) map[string]int {
	t.Helper()
	var subjects []string
	if _, err := call(http.MethodGet, "http://"+p.Registry+"/subjects", nil, nil, &subjects); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]int)
	for _, subject := range subjects {
		var latest struct{ ID int }
		url := "http://" + p.Registry + "/subjects/" + subject + "/versions/latest"
		if _, err := call(http.MethodGet, url, nil, nil, &latest); err != nil {
			t.Fatal(err)
		}
		ids[subject] = latest.ID
	}
	if len(ids) == 0 {
		t.Fatal("the registry has no subjects")
	}
	return ids
}

// endOffsets by topic and partition.
func (p *platform) endOffsets(t *testing.T) map[string]int64 {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	listed, err := kadm.NewClient(client).ListEndOffsets(context.Background(),
		"order.events", "inventory.events", "payment.events", "product.events")
	if err != nil {
		t.Fatal(err)
	}
	ends := make(map[string]int64)
	var total int64
	listed.Each(func(o kadm.ListedOffset) {
		ends[fmt.Sprintf("%s/%d", o.Topic, o.Partition)] = o.Offset
		total += o.Offset
	})
	if total == 0 {
		t.Fatal("the logs are empty")
	}
	return ends
}

func TestABusyPortIsNamedWithItsCure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"kafka", "registry", "gateway", "order", "payment-admin"} {
		t.Run(part, func(t *testing.T) {
			addr := taken.Addr().String()
			out, err := exec.Command(path, "up", "--ephemeral", "--free-ports", "--addr", part+"="+addr).CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); !failed {
				t.Fatalf("error = %v", err)
			}
			for _, want := range []string{part, addr, "--addr " + part + "="} {
				if !strings.Contains(string(out), want) {
					t.Errorf("said %q, which lacks %q", out, want)
				}
			}
		})
	}
}

func TestStoppingLeavesNoProcessBehind(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			p := up(t, "--data", t.TempDir())
			children := p.children(t)
			if len(children) != len(p.Services) {
				t.Fatalf("children %v, want one a service", children)
			}
			if err := p.Stop(signal); err != nil {
				t.Error(err)
			}
			eventually(t, "end of the services", func() error {
				for name, pid := range children {
					if !launch.Ended(pid) {
						return fmt.Errorf("%s still runs", name)
					}
				}
				return nil
			})
		})
	}
}

func TestAKilledServiceComesBackAndLosesNothing(t *testing.T) {
	p := up(t, "--ephemeral")
	for _, name := range []string{"order", "inventory", "payment"} {
		t.Run(name, func(t *testing.T) {
			var ids []string
			for range 20 {
				ids = append(ids, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
			}
			killed := p.children(t)[name]
			if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			eventually(t, "return of "+name, func() error {
				if pid := p.children(t)[name]; pid == 0 || pid == killed {
					return fmt.Errorf("pid is %d, was %d", pid, killed)
				}
				return nil
			})
			for _, id := range ids {
				if o := p.completed(t, id); o.Status != "confirmed" {
					t.Errorf("ended as %+v", o)
				}
			}
		})
	}
}

// children are the process ids of the services, by name.
func (p *platform) children(t *testing.T) map[string]int {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	children := make(map[string]int)
	for _, row := range strings.Split(string(out), "\n") {
		fields := strings.Fields(row)
		if len(fields) < 5 || fields[1] != strconv.Itoa(p.PID()) || fields[3] != "service" {
			continue
		}
		if children[fields[4]], err = strconv.Atoi(fields[0]); err != nil {
			t.Fatal(err)
		}
	}
	return children
}

func TestAServiceThatCannotStartIsGivenUpWithItsLastWords(t *testing.T) {
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "up", "--ephemeral", "--free-ports", "--set", "QUADRILLE_ORDER_TIMEOUT=-1s").CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed {
		t.Fatalf("error = %v", err)
	}
	for _, want := range []string{"order died 5 times", "QUADRILLE_ORDER_TIMEOUT is -1s"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("said %q, which lacks %q", out, want)
		}
	}
}

func TestServicesInOneProcessAndLeftOut(t *testing.T) {
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "up", "--ephemeral", "--without", "kitchen").CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "order, inventory, payment") {
		t.Errorf("an unknown service: %v, said %q", err, out)
	}
	t.Setenv("QUADRILLE_ADMIN_TOKEN", "secret") // the environment counts here, too
	p := up(t, "--ephemeral", "--in-process")
	if _, err := p.Instance(t.Context(), "order"); client.StatusOf(err) != http.StatusUnauthorized {
		t.Errorf("without the token: %v", err)
	}
	if i, err := p.WithToken("secret").Instance(t.Context(), "order"); err != nil || i.Service != "order" {
		t.Errorf("with the token: %+v, %v", i, err)
	}
	if children := p.children(t); len(children) != 0 {
		t.Errorf("children %v", children)
	}
	placed := p.place(t, "tok_visa", line{"tea-001", 1})
	if o := p.completed(t, placed.ID); o.Status != "confirmed" {
		t.Errorf("ended as %+v", o)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("an ephemeral platform left a data folder")
	}
}
