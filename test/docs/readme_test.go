package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fence is a fenced block of a page.
type fence struct {
	line     int // of the opening fence, from 1
	language string
	file     string // which the block is, or changes, if the opening fence names one behind the language
	text     string
	// expected are the words that the output holds: those in backquotes on the lines after the block that begin with
	// an arrow. A block without them prints nothing.
	expected []string
}

func fences(text string) []fence {
	var found []fence
	inside := false
	for i, line := range strings.Split(text, "\n") {
		last := len(found) - 1
		switch {
		case strings.HasPrefix(line, "```") && !inside:
			language, file, _ := strings.Cut(strings.TrimPrefix(line, "```"), " ")
			found = append(found, fence{line: i + 1, language: language, file: file})
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			found[last].text += line + "\n"
		case strings.HasPrefix(line, "→ "):
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
				found[last].expected = append(found[last].expected, m[1])
			}
		}
	}
	return found
}

// shell returns the blocks of a page that are commands. Every other block is a picture or sample text: a command cannot
// hide under another language.
func shell(t *testing.T, page string) []fence {
	t.Helper()
	var blocks []fence
	for _, f := range fences(read(t, page)) {
		switch f.language {
		case "sh":
			blocks = append(blocks, f)
		case "mermaid", "text", "go", "sql", "json", "diff":
		default:
			t.Errorf("%s:%d: a block of %q; commands are sh", page, f.line, f.language)
		}
		if f.file != "" && page != adding {
			t.Errorf("%s:%d: no test makes the file %s", page, f.line, f.file)
		}
	}
	return blocks
}

// isMake reports whether a block holds nothing but `make TARGET`, and checks that each target is there. They are not
// run: `make test` is what runs this test.
func isMake(t *testing.T, page string, f fence) bool {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(f.text), "\n") {
		command, _, _ := strings.Cut(line, "#")
		words := strings.Fields(command)
		if len(words) < 2 || words[0] != "make" {
			return false
		}
		out, err := exec.Command("make", append([]string{"-n", "-C", root}, words[1:]...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s:%d: %s: %v\n%s", page, f.line, line, err, out)
		}
	}
	return true
}

func TestCommandsOfTheOtherPagesAreTargetsOfMake(t *testing.T) {
	for _, page := range pages(t) {
		if page == "README.md" || page == adding {
			continue
		}
		for _, f := range shell(t, page) {
			if !isMake(t, page, f) {
				t.Errorf("%s:%d: no test runs this block", page, f.line)
			}
		}
	}
}

// TestEveryCommandOfTheReadmeRuns runs the blocks in their order, in one shell, against one platform.
func TestEveryCommandOfTheReadmeRuns(t *testing.T) {
	const page = "README.md"
	var blocks []fence
	for _, f := range shell(t, page) {
		if !isMake(t, page, f) {
			blocks = append(blocks, f)
		}
	}
	if len(blocks) == 0 {
		t.Fatal("the README has no commands")
	}
	up(t).runBlocks(t, page, blocks)
}

// runBlocks runs blocks in one shell and looks whether each says what the page shows.
func (p *platform) runBlocks(t *testing.T, page string, blocks []fence) {
	t.Helper()
	script := "set -euo pipefail\n"
	for i, f := range blocks {
		script += fmt.Sprintf("printf '\\n%s\\n'\n%s\n", mark(i), p.rewrite(t, f))
	}
	script += fmt.Sprintf("printf '\\n%s\\n'\n", mark(len(blocks)))
	output := p.run(t, script)

	for i, f := range blocks {
		_, said, begun := strings.Cut(output, mark(i)+"\n")
		said, _, ended := strings.Cut(said, "\n"+mark(i+1))
		if !begun || !ended {
			t.Fatalf("%s:%d: this block failed:\n%s\nit said:\n%s", page, f.line, f.text, said)
		}
		if len(f.expected) == 0 && said != "" {
			t.Errorf("%s:%d: the page does not show what this prints:\n%s", page, f.line, said)
		}
		for _, want := range f.expected {
			if !strings.Contains(said, want) {
				t.Errorf("%s:%d: the output lacks %s:\n%s", page, f.line, want, said)
			}
		}
	}
}

func mark(i int) string { return fmt.Sprintf("--- block %d ---", i) }

var documented = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// rewrite puts this platform's addresses in the place of the documented ones.
func (p *platform) rewrite(t *testing.T, f fence) string {
	t.Helper()
	free := map[string]string{
		"127.0.0.1:8081": p.Services["order"], "127.0.0.1:9081": p.Admin["order"],
		"127.0.0.1:8082": p.Services["inventory"], "127.0.0.1:9082": p.Admin["inventory"],
		"127.0.0.1:8083": p.Services["payment"], "127.0.0.1:9083": p.Admin["payment"],
		"127.0.0.1:8085": p.Services["loyalty"], "127.0.0.1:9085": p.Admin["loyalty"],
		"127.0.0.1:8084": p.Services["notification"], "127.0.0.1:9084": p.Admin["notification"],
		"127.0.0.1:1025": p.SMTP, "127.0.0.1:8025": p.Mail,
		"127.0.0.1:8090": p.Gateway, "127.0.0.1:8091": p.Registry, "127.0.0.1:9092": p.Kafka,
	}
	return documented.ReplaceAllStringFunc(f.text, func(addr string) string {
		if free[addr] == "" {
			t.Errorf("line %d: nothing of the platform listens on %s", f.line, addr)
		}
		return free[addr]
	})
}

// run returns what a script prints on both outputs. It runs where bin/quadrille is, as a reader's shell does.
func (p *platform) run(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "readme.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "bash", file)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir(), &out, &out
	addresses, err := json.Marshal(p.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	// The commands of the page find the platform at the documented addresses; this one has others.
	cmd.Env = append(os.Environ(), "QUADRILLE_AGAINST="+string(addresses),
		"QUADRILLE_KAFKA_BROKERS="+p.Kafka, "QUADRILLE_REGISTRY_URL=http://"+p.Registry)
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Run(); err != nil {
		t.Errorf("the script ended with %v", err)
	}
	return out.String()
}

// TestTheFirstCommandIsTheOneThatUpPrints keeps the README's first request the same as the one that `up` ends with, but
// for how far it is indented.
func TestTheFirstCommandIsTheOneThatUpPrints(t *testing.T) {
	p := start(t, nil, home(t), quadrille, "up", "--ephemeral", "--free-ports")
	line := p.line(t)
	for !strings.HasPrefix(line, "  curl ") {
		line = p.line(t)
	}
	var printed string
	for ; line != ""; line = p.line(t) {
		printed += strings.TrimPrefix(line, "  ") + "\n"
	}
	want := documented.ReplaceAllString(printed, "127.0.0.1:8081")
	if !slices.ContainsFunc(shell(t, "README.md"), func(f fence) bool { return f.text == want }) {
		t.Errorf("the README lacks the command that up prints:\n%s", want)
	}
}

// TestTokensBehaveAsTheTableSays reads the table of test tokens, "| `token` | card | end |", and orders with each. The
// end is a status, then a reason if there is one, as the API tells them; a saga that is stuck then has come no further.
func TestTokensBehaveAsTheTableSays(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `(tok_\\w+)` \\| .* \\| `(\\w+)`(?:, `(\\w+)`)?.* \\|$").
		FindAllStringSubmatch(read(t, "README.md"), -1)
	source := read(t, "platform/gateway/token.go")
	known := regexp.MustCompile(`"(tok_\w+)"`).FindAllStringSubmatch(source, -1)
	if len(rows) != len(known) || len(rows) == 0 {
		t.Errorf("the table has %d tokens, the gateway %d", len(rows), len(known))
	}

	// Short, because the order with tok_timeout waits for it; a slow card must not.
	p := up(t, "--set", "QUADRILLE_ORDER_TIMEOUT=15s")
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(source, `"`+row[1]+`"`) {
				t.Fatal("the gateway has no such token")
			}
			stuck := row[2] == "cancelled" && strings.Contains(row[0], "shows it as stuck")
			var o struct {
				ID, Status, Reason string
				Completed          bool
			}
			body := `{"customer_id":"ada","email":"ada@example.com","payment_method":"` + row[1] +
				`","lines":[{"sku":"tea-001","quantity":1}]}`
			if err := call(t, http.MethodPost, p.Services["order"], "/v1/orders", body, &o); err != nil {
				t.Fatal(err)
			}
			eventually(t, "end of the saga", func() error {
				// The reason is absent until there is one, and the decoder leaves what is absent alone.
				o.Reason = ""
				err := call(t, http.MethodGet, p.Services["order"], "/v1/orders/"+url.PathEscape(o.ID), "", &o)
				if err == nil && (o.Completed == stuck || o.Status != row[2]) {
					err = fmt.Errorf("the order stands as %+v", o)
				}
				return err
			})
			if o.Reason != row[3] {
				t.Errorf("reason = %q, the table says %q", o.Reason, row[3])
			}
		})
	}
}
