//go:build observability

package observability

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// quicker is by how much the rules' patience is divided in tests: what takes 5 minutes takes 10 s.
const quicker = 30

// window matches the range of a selector, such as [5m].
var window = regexp.MustCompile(`\[(\d+)([smhd])\]`)

// scale writes the deployed rules into a folder, with every "for" and every range a fraction of itself. Nothing else of
// them is changed: expressions, thresholds and labels are those that are deployed.
func scale(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(deployed, "rules", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		var read ruleFile
		readYAML(t, file, &read)
		for _, group := range read.Groups {
			for i, r := range group.Rules {
				group.Rules[i] = scaled(t, r)
			}
		}
		text, err := yaml.Marshal(read)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func scaled(t *testing.T, r rule) rule {
	t.Helper()
	if r.For != "" {
		r.For = shorter(t, r.For)
	}
	r.Expr = window.ReplaceAllStringFunc(r.Expr, func(found string) string {
		return "[" + shorter(t, found[1:len(found)-1]) + "]"
	})
	return r
}

func shorter(t *testing.T, text string) string {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil || d < quicker*time.Second {
		t.Fatalf("%q is no duration of at least %d s, so that it cannot be a %dth: %v", text, quicker, quicker, err)
	}
	return strconv.FormatInt(int64(d/quicker/time.Millisecond), 10) + "ms"
}

func TestScalingLeavesTheRestOfARuleAlone(t *testing.T) {
	got := scaled(t, rule{
		Alert: "A", Expr: `rate(a{b="5m"}[5m]) > 30 and delta(c[10m]) >= 0`, For: "1m",
		Labels: map[string]string{"severity": "warning"},
	})
	want := `rate(a{b="5m"}[10000ms]) > 30 and delta(c[20000ms]) >= 0`
	if got.Expr != want || got.For != "2000ms" || got.Labels["severity"] != "warning" || got.Alert != "A" {
		t.Errorf("it is %+v", got)
	}
}
