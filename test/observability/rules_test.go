package observability

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	deployed = "../../deploy/observability"
	page     = "../../docs/operations.md"
)

// ruleFile is one of Prometheus's.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// readYAML decodes a file, and refuses what it does not know.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := yaml.NewDecoder(file).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(deployed, "rules", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		var read ruleFile
		readYAML(t, file, &read)
		for _, group := range read.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all
}

func alerts(t *testing.T) []rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.Alert == "" })
}

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryAlertSaysHowBadItIsAndWhatToDo(t *testing.T) {
	text := readPage(t)
	var anchors []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-"))
	}
	for _, a := range alerts(t) {
		if severity := a.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s has the severity %q", a.Alert, severity)
		}
		if a.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", a.Alert)
		}
		at, anchor, _ := strings.Cut(a.Annotations["runbook_url"], "#")
		if !strings.HasSuffix(at, "/docs/operations.md") || !slices.Contains(anchors, anchor) {
			t.Errorf("%s leads to %s, where the page has no such heading", a.Alert, a.Annotations["runbook_url"])
		}
		row := fmt.Sprintf("(?m)^\\| `%s` \\| %s \\| .*\\(#%s\\)", a.Alert, a.Labels["severity"], anchor)
		if !regexp.MustCompile(row).MatchString(text) {
			t.Errorf("the page's table of alerts has no row that matches %s", row)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(alerts(t), func(a rule) bool { return a.Alert == row[1] }) {
			t.Errorf("the page names the alert %s, which is none", row[1])
		}
	}
}

// Each alert must be seen to fire, and to leave something alone.
func TestEveryAlertHasTestsOfBothKinds(t *testing.T) {
	var file struct {
		Tests []struct {
			Alerts []struct {
				Alert string `yaml:"alertname"`
				Want  []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	readYAML(t, "alerts.yml", &file)
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, test := range file.Tests {
		for _, a := range test.Alerts {
			if len(a.Want) > 0 {
				fires[a.Alert] = true
			} else {
				silent[a.Alert] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !silent[a.Alert] {
			t.Errorf("%s: seen to fire %t, seen to leave something alone %t", a.Alert, fires[a.Alert], silent[a.Alert])
		}
	}
}
