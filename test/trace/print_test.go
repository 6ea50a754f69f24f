package trace

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// printed checks what `quadrille trace` says of an order.
func (p *platform) printed(t *testing.T, pages, id string, trace jaeger.Trace) {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, append([]string{"trace", id, "--jaeger", pages}, args...)...)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", cmd, err, said.String())
		}
		return string(out)
	}
	tree := run()
	t.Log("\n" + tree)
	for _, want := range []string{trace.ID, "POST /v1/orders", "outbox wait", "kafka wait", "mail confirmation"} {
		if !strings.Contains(tree, want) {
			t.Errorf("the tree lacks %q:\n%s", want, tree)
		}
	}
	var printed struct {
		TraceID string `json:"trace_id"`
		Spans   []struct {
			Name string `json:"name"`
		} `json:"spans"`
	}
	if err := json.Unmarshal([]byte(run("--json")), &printed); err != nil {
		t.Fatal(err)
	}
	if printed.TraceID != trace.ID || len(printed.Spans) < len(trace.Spans) {
		t.Errorf("as JSON: trace %s with %d spans, want %s with %d", printed.TraceID, len(printed.Spans), trace.ID,
			len(trace.Spans))
	}
}
