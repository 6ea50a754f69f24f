package observability

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// board is one of Grafana's.
type board struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID         int    `json:"id"`
	Type       string `json:"type"`
	Title      string `json:"title"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	Targets []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
}

// boards are those that are provisioned, without the rows between their panels.
func boards(t *testing.T) (all []board) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(deployed, "grafana", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no boards: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b board
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		b.Panels = slices.DeleteFunc(b.Panels, func(p panel) bool { return p.Type == "row" })
		all = append(all, b)
	}
	return all
}

func TestEveryPanelAsksTheProvisionedDatasource(t *testing.T) {
	var provisioned struct {
		Datasources []struct {
			UID  string `yaml:"uid"`
			Type string `yaml:"type"`
		} `yaml:"datasources"`
	}
	readYAML(t, filepath.Join(deployed, "grafana/provisioning/datasources/prometheus.yml"), &provisioned)
	seen := make(map[string]bool)
	for _, b := range boards(t) {
		if seen[b.UID] || b.UID == "" || len(b.Panels) == 0 {
			t.Errorf("%s has the uid %q and %d panels", b.Title, b.UID, len(b.Panels))
		}
		seen[b.UID] = true
		ids := make(map[int]bool)
		for _, p := range b.Panels {
			if ids[p.ID] || len(p.Targets) == 0 {
				t.Errorf("%s, %s: id %d, %d queries", b.Title, p.Title, p.ID, len(p.Targets))
			}
			ids[p.ID] = true
			if !slices.ContainsFunc(provisioned.Datasources, func(d struct {
				UID  string `yaml:"uid"`
				Type string `yaml:"type"`
			}) bool {
				return d.UID == p.Datasource.UID && d.Type == "prometheus"
			}) {
				t.Errorf("%s, %s asks %q, which is not provisioned", b.Title, p.Title, p.Datasource.UID)
			}
		}
	}
}

// ours matches a metric of the platform's own, whether or not a record was made of it.
var ours = regexp.MustCompile(`quadrille_[a-z_]+`)

// named are the metrics of ours in a text, as they are served: a histogram without the endings of its series.
func named(text string) (names []string) {
	for _, name := range ours.FindAllString(text, -1) {
		for _, ending := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, ending)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A metric that a rule or a board asks for is explained on the page, so that a rename cannot pass unnoticed.
func TestRulesAndBoardsAskForMetricsOfThePage(t *testing.T) {
	known := named(readPage(t))
	var records []string
	for _, r := range rules(t) {
		records = append(records, r.Record)
	}
	ask := func(who, expr string) {
		for _, record := range records {
			if record != "" {
				expr = strings.ReplaceAll(expr, record, "")
			}
		}
		for _, name := range named(expr) {
			if !slices.Contains(known, name) {
				t.Errorf("%s asks for %s, which the page does not explain", who, name)
			}
		}
	}
	for _, r := range rules(t) {
		ask(r.Record+r.Alert, r.Expr)
	}
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				ask(b.Title+", "+p.Title, target.Expr)
			}
		}
	}
}
