package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/platform/client"
)

func TestStepsAreChosenByName(t *testing.T) {
	all, err := chosen(nil)
	if err != nil || len(all) != len(Steps()) {
		t.Errorf("%d steps without a name (%v)", len(all), err)
	}
	some, err := chosen([]string{"restart", "happy-path"})
	if err != nil || len(some) != 2 || some[0].name != "happy-path" || some[1].name != "restart" {
		t.Errorf("chosen %v (%v)", some, err)
	}
	_, err = chosen([]string{"happy-path", "sad-path"})
	refusal(t, err, `"sad-path"; there are happy-path, `)
	seen := make(map[string]bool)
	for _, s := range all {
		if seen[s.name] || s.about == "" || s.on == nil || s.run == nil || len(s.name) > 20 {
			t.Errorf("step %+v", s)
		}
		seen[s.name] = true
	}
}

func TestOnlyWhatDisturbsNobodyRunsElsewhere(t *testing.T) {
	for _, l := range lanes(steps()) {
		if alone := len(l.on.args) == 0 && !l.on.exposed && l.on.postgres == ""; alone != (l.on.why == "") {
			t.Errorf("ground %s: %q", l.on.name, l.on.why)
		}
	}
}

func TestASceneEndsAtTheFirstThingThatDoesNotHold(t *testing.T) {
	after := false
	s := newScene(t.Context(), "any", client.New(client.Addresses{}), nil, nil)
	err := s.play(func(s *scene) {
		s.saw("one thing")
		s.check(nil)
		s.fail("no %s", "cake")
		after = true
	})
	if err == nil || err.Error() != "no cake" || after || s.notes() != "one thing" {
		t.Errorf("error %v, went on %v, saw %q", err, after, s.notes())
	}
	if err := newScene(t.Context(), "any", client.New(client.Addresses{}), nil, nil).play(func(*scene) {}); err != nil {
		t.Errorf("nothing was wrong: %v", err)
	}
}

func TestStockIsLookedAtOnceMore(t *testing.T) {
	stock := client.Levels{Available: 3, Sold: 2}
	inventory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(stock)
	}))
	defer inventory.Close()
	addresses := client.Addresses{Services: map[string]string{"inventory": inventory.Listener.Addr().String()}}
	s := newScene(t.Context(), "any", client.New(addresses), nil, nil)
	err := s.play(func(s *scene) {
		s.levels("tea", 5, 2)
		stock = client.Levels{Available: 5}
		s.levels("tea", 5, 0)
	})
	refusal(t, err, "")
	refusal(t, s.still(t.Context()), "") // what was said last holds, not what was said before
	stock.Available = 4
	refusal(t, s.still(t.Context()), "seen later: stock is")
}

func TestAPlatformThatStopsBadlySpoilsNoOtherLane(t *testing.T) {
	t.Setenv(role, "up")
	of, err := chosen([]string{"happy-path", "last-unit", "timeout"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := newReport(&out, false, of)
	if err := (Command{}).own(t.Context(), of, r); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if end := r.end(); end.OK != 0 || end.Failed != 3 {
		t.Errorf("summary %+v", end)
	}
	// The last step of each of the two lanes tells.
	if strings.Count(out.String(), "the disk is full") != 2 {
		t.Errorf("it says\n%s", out.String())
	}
}

func TestAFlawIsToldOnce(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, false, []step{{name: "first"}, {name: "second"}})
	r.add(result{Step: "second", Result: ok, Seen: "cake"})
	r.flaw("second", errors.New("seen later: no cake")) // before its row
	r.add(result{Step: "first", Result: ok})
	r.flaw("first", errors.New("a crumb"))
	r.flaw("first", errors.New("two crumbs"))
	if end := r.end(); end.OK != 0 || end.Failed != 2 {
		t.Errorf("summary %+v", end)
	}
	for says, times := range map[string]int{"second ": 1, "no cake": 1, "first ": 3, "two crumbs": 1} {
		if strings.Count(out.String(), says) != times {
			t.Errorf("%q is not there %d times:\n%s", says, times, out.String())
		}
	}
}

func TestRowsComeInTheOrderOfTheSteps(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, false, []step{{name: "first"}, {name: "second"}, {name: "third"}})
	r.add(result{Step: "second", Result: skipped, Why: "no PostgreSQL"})
	if strings.Contains(out.String(), "second") {
		t.Error("the second row came before the first")
	}
	r.add(result{Step: "first", Result: ok, Seen: "cake", Trace: "abc", took: 1500 * time.Millisecond})
	r.started(400 * time.Millisecond)
	r.started(900 * time.Millisecond) // of a further platform
	r.add(result{Step: "third", Result: failed, Why: errors.Join(errors.New("one"), errors.New("two")).Error()})
	r.flaw("first", errors.New("seen later: no cake"))
	end := r.end()
	if end.OK != 0 || end.Failed != 2 || end.Skipped != 1 {
		t.Errorf("summary %+v", end)
	}
	rows := strings.Split(out.String(), "\n")
	want := []string{
		"step                 result     latency  trace                             what was seen",
		"first                ok         1500 ms  abc                               cake",
		"second               skipped                                               no PostgreSQL",
		"third                FAILED                                                one",
		"    two",
		"first                FAILED                                                seen later: no cake",
		"",
		"0 ok, 2 failed, 1 skipped in 0.0 s; a platform was ready in 0.4 s",
		"skipped: no PostgreSQL",
		"",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWantOfPostgreSQLIsAFailureInCIOnly(t *testing.T) {
	missing := fmt.Errorf("start PostgreSQL: %w", pgserver.ErrNotInstalled)
	tests := []struct {
		ci   string
		err  error
		want outcome
	}{{"", missing, skipped}, {"true", missing, failed}, {"", errors.New("no port is free"), failed}}
	for _, tt := range tests {
		t.Setenv("CI", tt.ci)
		var out strings.Builder
		l := &lane{on: replicated, steps: []step{{name: "two-replicas"}}}
		r := newReport(&out, true, l.steps)
		l.cannot(r, tt.err)
		var got result
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Result != tt.want || !strings.Contains(got.Why, "PostgreSQL") && tt.want == skipped {
			t.Errorf("CI=%s, %v: %+v", tt.ci, tt.err, got)
		}
		if end := r.end(); end.Skipped != len(end.Why) || tt.want == failed && end.Failed != 1 {
			t.Errorf("CI=%s, %v: summary %+v", tt.ci, tt.err, end)
		}
	}
}
