//go:build compose

package compose

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/compose/engine"
)

const (
	root    = "../.."
	project = "quadrille-proof"
	token   = "of-the-proof"
	// patience is for what a command or a saga may take on a machine with much else to do.
	patience = 5 * time.Minute
)

// services are those of ours that have an image and an admin listener.
var services = []string{"order", "inventory", "payment", "notification"}

// stack is the composed platform, on ports of its own.
type stack struct {
	*client.Client
	engine *engine.Engine
	// addresses of the variables that name ports.
	addresses map[string]string
	// took is how long the first start took, used the most memory that was seen, in bytes.
	took time.Duration
	used float64
	// without are the images that are not to be had.
	without []string
}

// newStack starts an engine, if there is none, and nothing else.
func newStack(t *testing.T) *stack {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "bin", "compose"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Config{Dir: dir, Plugins: "plugins", Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if e.Own { // what a build replaced is of no use to the next run
			if _, err := e.Output(context.WithoutCancel(t.Context()), "image", "prune", "--force"); err != nil {
				t.Error(err)
			}
		}
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := &stack{addresses: make(map[string]string)}
	names := []string{"KAFKA_PORT", "REGISTRY_PORT", "POSTGRES_PORT", "JAEGER_PORT", "OTLP_PORT", "GATEWAY_PORT", "SMTP_PORT",
		"MAIL_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT"}
	for _, name := range services {
		names = append(names, strings.ToUpper(name)+"_PORT", strings.ToUpper(name)+"_ADMIN_PORT")
	}
	free, err := launch.FreeAddresses(len(names))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"COMPOSE_PROJECT_NAME=" + project, "COMPOSE_PROGRESS=plain", "QUADRILLE_ADMIN_TOKEN=" + token,
		"IMAGE_VERSION=proof-1", "IMAGE_REVISION=0123456789abcdef", "COMPOSE_PROFILES="}
	for i, name := range names {
		s.addresses[name] = free[i]
		_, port, err := net.SplitHostPort(free[i])
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+port)
	}
	s.engine = e.With(env...)
	addresses := client.Addresses{
		Kafka: s.addresses["KAFKA_PORT"], Registry: s.addresses["REGISTRY_PORT"] + "/apis/ccompat/v7",
		Gateway: s.addresses["GATEWAY_PORT"], SMTP: s.addresses["SMTP_PORT"], Mail: s.addresses["MAIL_PORT"],
		Services: make(map[string]string), Admin: make(map[string]string),
	}
	for _, name := range services {
		addresses.Services[name] = s.addresses[strings.ToUpper(name)+"_PORT"]
		addresses.Admin[name] = s.addresses[strings.ToUpper(name)+"_ADMIN_PORT"]
	}
	s.Client = client.New(addresses).With("Authorization", "Bearer "+token)
	return s
}

// compose runs docker compose; what it prints comes back.
func (s *stack) compose(ctx context.Context, args ...string) (string, error) {
	return s.engine.Output(ctx, append([]string{"compose", "--file", filepath.Join(root, "docker-compose.yml"),
		"--project-directory", root, "--env-file", os.DevNull}, args...)...)
}

// must is compose that has to succeed. If it does not, the logs say why.
func (s *stack) must(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	said, err := s.compose(ctx, args...)
	if err != nil {
		s.logs(t.Output())
		t.Fatal(err)
	}
	return said
}

// logs writes what the containers said last.
func (s *stack) logs(to io.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, args := range [][]string{{"ps", "--all"}, {"logs", "--no-color", "--tail", "25"}} {
		said, err := s.compose(ctx, args...)
		fmt.Fprintln(to, said, err)
	}
}

// up is the platform up and ready, and how long that took.
func (s *stack) up(t *testing.T, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	s.must(t, append([]string{"up", "--detach", "--wait", "--wait-timeout", "900", "--no-build"}, args...)...)
	return time.Since(began)
}

// containers of a service, by id.
func (s *stack) containers(t *testing.T, service string) []string {
	t.Helper()
	return strings.Fields(s.must(t, "ps", "--quiet", service))
}

// inspect returns what a template makes of a container or an image.
func (s *stack) inspect(t *testing.T, id, template string) string {
	t.Helper()
	said, err := s.engine.Output(t.Context(), "inspect", "--format", template, id)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// memory is what all containers of the project use together, in bytes.
func (s *stack) memory(t *testing.T) (total float64) {
	t.Helper()
	ids := strings.Fields(s.must(t, "ps", "--quiet"))
	said, err := s.engine.Output(t.Context(), append([]string{"stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"},
		ids...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + said)
	for line := range strings.Lines(said) {
		n, err := size(strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}

// size reads 12.5MiB.
func size(text string) (float64, error) {
	units := map[string]float64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "B": 1}
	at := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if at < 0 || units[text[at:]] == 0 {
		return 0, fmt.Errorf("%q is no size", text)
	}
	n, err := strconv.ParseFloat(text[:at], 64)
	return n * units[text[at:]], err
}

// databases of the services, opened from outside.
func (s *stack) databases(t *testing.T) map[string]*sqldb.DB {
	t.Helper()
	open := make(map[string]*sqldb.DB)
	for _, name := range services {
		db, err := sqldb.Open(t.Context(), "postgres://"+name+":"+name+"@"+s.addresses["POSTGRES_PORT"]+"/"+name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		open[name] = db
	}
	return open
}

// remove takes the stack down with all that it keeps.
func (s *stack) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := s.compose(ctx, "down", "--volumes", "--remove-orphans", "--timeout", "5")
	return err
}
