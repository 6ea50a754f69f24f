package docs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

const module = "github.com/quadrille-platform/quadrille/"

// TestAnOrderTakesTheWayThatThePageShows places one order at a service that does nothing else, and compares what ran
// with the page.
func TestAnOrderTakesTheWayThatThePageShows(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: what runs is the same as without, and was looked at there")
	}
	ran := followOneOrder(t)
	page := read(t, "docs/follow-an-order.md")
	way, serve, beside := named(section(t, page, "The way")), named(section(t, page, "What serves it")),
		named(section(t, page, "What runs beside it"))

	var told []string
	for _, names := range [][]string{way, serve, beside} {
		told = append(told, names...)
	}
	for file := range ran {
		if !slices.ContainsFunc(told, func(name string) bool { return covers(name, file) }) {
			t.Errorf("%s ran because of the order, but the page does not say so", file)
		}
	}
	for _, name := range append(slices.Clone(way), serve...) {
		did := slices.ContainsFunc(keys(ran), func(file string) bool { return covers(name, file) })
		if !did {
			t.Errorf("the page names %s, which did not run", name)
		}
	}

	if files := slices.Compact(slices.Clone(way)); len(files) != 6 {
		t.Errorf("the way has %d files, not six: %q", len(files), files)
	}
	for _, s := range symbols(section(t, page, "The way")) {
		if !s.ran(t, ran[s.file]) {
			t.Errorf("the page names %s of %s, which did not run", s.name, s.file)
		}
	}
}

// followOneOrder returns the blocks that ran in the order service from before an order was posted until its event was
// on Kafka and gone from the outbox, by file.
func followOneOrder(t *testing.T) map[string][]block {
	world := up(t, "--without", "order", "--without", "inventory")

	// Inventory only tells what can be ordered. It is gone before the order comes, so that nothing answers.
	inventory := start(t, world.LeftOut["inventory"], home(t), quadrille, "service", "inventory")
	eventually(t, "inventory", func() error {
		return call(t, http.MethodGet, world.Admin["inventory"], "/readyz", "", nil)
	})
	product := `{"name":"Green tea, 100 g","price":{"amount":899,"currency":"EUR"}}`
	if err := call(t, http.MethodPut, world.Services["inventory"], "/v1/products/tea-001", product, nil); err != nil {
		t.Fatal(err)
	}

	folder := t.TempDir()
	if err := binary.Build(filepath.Join(folder, "follow"), "./follow", "-cover", "-covermode=atomic", "-coverpkg="+module+"..."); err != nil {
		t.Fatal(err)
	}
	order := start(t, append(world.LeftOut["order"], "GOCOVERDIR="+folder), folder, "follow")
	eventually(t, "a product to order", func() error {
		var products struct{ Items []json.RawMessage }
		err := call(t, http.MethodGet, world.Services["order"], "/v1/products", "", &products)
		if err == nil && len(products.Items) == 0 {
			err = fmt.Errorf("order lists no product")
		}
		return err
	})
	if err := inventory.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	tell := func(word string) {
		if _, err := fmt.Fprintln(order.Stdin, word); err != nil {
			t.Fatal(err)
		}
		if said := order.line(t); said != "ok" {
			t.Fatalf("%s: %s", word, said)
		}
	}
	tell("clear")
	place := `{"customer_id":"ada","email":"ada@example.com","payment_method":"tok_visa","lines":[{"sku":"tea-001","quantity":2}]}`
	if err := call(t, http.MethodPost, world.Services["order"], "/v1/orders", place, nil); err != nil {
		t.Fatal(err)
	}
	awaitRecord(t, world.Kafka, "order.events")
	eventually(t, "the relay to note that it has published", func() error {
		return published(t, world.Admin["order"])
	})
	counters := t.TempDir()
	tell("write " + counters)
	return readBlocks(t, counters)
}

// published is nil once a service has told its metrics of an event, which is the last that the relay does with it.
func published(t *testing.T, admin string) error {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err == nil && !strings.Contains(string(said), "\nquadrille_outbox_published_total{") {
		err = errors.New("not yet")
	}
	return err
}

// awaitRecord waits for the first record of a topic.
func awaitRecord(t *testing.T, broker, topic string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if fetches := client.PollRecords(ctx, 1); fetches.NumRecords() == 0 {
		t.Fatalf("nothing came on %s: %v", topic, fetches.Err())
	}
}

// block of statements, by its lines.
type block struct{ from, to int }

// readBlocks returns the blocks that ran, by file.
func readBlocks(t *testing.T, counters string) map[string][]block {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	out, err := exec.Command("go", "tool", "covdata", "textfmt", "-i="+counters, "-o="+profile).CombinedOutput()
	if err != nil {
		t.Fatalf("covdata: %v\n%s", err, out)
	}
	data, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(map[string][]block)
	for _, row := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		name, rest, _ := strings.Cut(strings.TrimPrefix(row, module), ":")
		var b block
		var column, statements, count int
		_, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.from, &column, &b.to, &column, &statements, &count)
		if err == nil && count > 0 && !strings.HasPrefix(name, "test/") {
			ran[name] = append(ran[name], b)
		}
	}
	return ran
}

// named returns the files and packages that a text names in backquotes.
func named(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile("`([a-z0-9_/]+/[a-z0-9_/]+(?:\\.go)?)(?::[\\w.]+)?`").FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// covers reports whether name is the file, or the package that the file is in.
func covers(name, file string) bool { return name == file || name == path.Dir(file) }

func keys(m map[string][]block) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ran reports whether any block of the symbol, a function or a method, did.
func (s symbol) ran(t *testing.T, blocks []block) bool {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, filepath.Join(root, s.file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || nameOf(fn) != s.name {
			continue
		}
		from, to := files.Position(fn.Pos()).Line, files.Position(fn.End()).Line
		return slices.ContainsFunc(blocks, func(b block) bool { return from <= b.from && b.to <= to })
	}
	return false
}
