package demo

import (
	"encoding/json"
	"errors"
	"fmt"
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
		if alone := len(l.on.args) == 0 && !l.on.lasting && l.on.postgres == ""; alone != (l.on.why == "") {
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
	r.flaw("first", "seen later: no cake")
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
