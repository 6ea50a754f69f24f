package main

import (
	"strings"
	"testing"
	"time"
)

func TestTheRatioIsThatOfTheMedians(t *testing.T) {
	rates := func(all ...int) (c []capacity) {
		for _, n := range all {
			c = append(c, capacity{sagas: n, wall: time.Second, cpu: map[string]time.Duration{}})
		}
		return c
	}
	tests := map[string]struct {
		floor, platform []capacity
		want            string
	}{
		"odd":             {rates(900, 1000, 100), rates(600, 10, 700), "platform 600, ratio 0.67.\n"},
		"even":            {rates(900, 1000), rates(700, 600), "platform 600, ratio 0.67.\n"},
		"too low a share": {rates(1000), rates(499), "ratio 0.50, below 0.5.\n"},
		"nothing at all":  {rates(0), rates(0), "ratio 0.00, below 0.5.\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := capacityTable(map[string][]capacity{floorName: test.floor, platformName: test.platform}, underWay)
			if !strings.HasSuffix(got, test.want) {
				t.Errorf("got %s want it to end with %s", got, test.want)
			}
		})
	}
}

const serverLog = `order|LOG:  execute stmtcache_1: SELECT 1
order|LOG:  statement: BEGIN
|LOG:  checkpoint starting: time
order|LOG:  execute <unnamed>: WITH rows AS (SELECT 2)
	  INSERT INTO orders
	SELECT
order|LOG:  statement: COMMIT
postgres|LOG:  statement: SELECT 3
payment|LOG:  statement: COMMIT
`

func TestStatementsAreReadFromTheServersLog(t *testing.T) {
	got := parseStatements(serverLog)
	want := []string{"BEGIN", "COMMIT", "SELECT 1", "WITH rows AS (SELECT 2) INSERT INTO orders SELECT"}
	for _, text := range want {
		if !got["order"][text] {
			t.Errorf("%q is missing", text)
		}
	}
	if len(got) != 2 || len(got["order"]) != len(want) || len(got["payment"]) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestTheFloorIsHeldToTheServicesStatements(t *testing.T) {
	all := func(texts ...string) statements {
		found := make(statements)
		for _, name := range serviceNames {
			found[name] = make(map[string]bool)
			for _, text := range texts {
				found[name][text] = true
			}
		}
		return found
	}
	const write, read, timer = "INSERT INTO a", "SELECT b", "SELECT c"
	services := all(write, read, timer)
	tests := map[string]struct {
		floor statements
		want  string
	}{
		"the same":                 {all(write, read, timer), ""},
		"without what is periodic": {all(write, read), ""},
		"without a write":          {all(read), "leaves out, of order: " + write},
		"with one of its own":      {all(write, "SELECT d"), "only the floor executes, for order: SELECT d"},
		"nothing logged":           {nil, "no statements of order"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := compare(test.floor, services)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}
