package compose

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

const (
	composed = "../../docker-compose.yml"
	example  = "../../deploy/compose/.env.example"
)

// fixed are variables that the composed platform sets, and one that only a job needs.
var fixed = []string{
	"QUADRILLE_KAFKA_BROKERS", "QUADRILLE_REGISTRY_URL", "QUADRILLE_SKIP_MIGRATIONS", "QUADRILLE_HTTP_ADDR",
	"QUADRILLE_ADMIN_ADDR", "QUADRILLE_DATABASE_URL", "QUADRILLE_GATEWAY_URL", "QUADRILLE_MIGRATE_ONLY",
}

// knobs are the variables that docker-compose.yml takes from its surroundings, with their defaults.
func knobs(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(composed)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)(?::-([^}]*))?\}`).FindAllStringSubmatch(string(page), -1) {
		if was, seen := found[m[1]]; seen && was != m[2] {
			t.Errorf("%s defaults to %q and to %q", m[1], was, m[2])
		}
		found[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+((?:QUADRILLE|OTEL)_[A-Z_]+):$`).FindAllStringSubmatch(string(page), -1) {
		found[m[1]] = ""
	}
	return found
}

func TestEveryKnobIsExplainedWithItsDefault(t *testing.T) {
	page, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	explained := make(map[string]string)
	comment := false
	for line := range strings.Lines(string(page)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "#"), "=")
		switch {
		case ok && regexp.MustCompile(`^[A-Z_]+$`).MatchString(name):
			if !comment {
				t.Errorf("nothing is said about %s", name)
			}
			explained[name] = value
		case strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "# ==="):
			comment = true
		case strings.TrimSpace(line) == "":
			comment = false
		}
	}
	delete(explained, "COMPOSE_PROFILES") // which docker compose itself reads
	found := knobs(t)
	for name, value := range found {
		got, ok := explained[name]
		if !ok || value != "" && got != value {
			t.Errorf("docker-compose.yml takes %s, by default %q; %s says %q", name, value, example, got)
		}
	}
	for name := range explained {
		if _, ok := found[name]; !ok {
			t.Errorf("%s explains %s, of which docker-compose.yml knows nothing", example, name)
		}
	}
}

func TestEveryVariableOfAServiceCanBeSet(t *testing.T) {
	found := knobs(t)
	for name, config := range map[string]any{
		order.Name: new(order.Config), inventory.Name: new(inventory.Config), payment.Name: new(payment.Config),
		notification.Name: new(notification.Config),
	} {
		for _, v := range service.Variables(config) {
			if _, ok := found[v.Name]; !ok && !slices.Contains(fixed, v.Name) {
				t.Errorf("%s reads %s, which docker-compose.yml neither sets nor hands on", name, v.Name)
			}
		}
	}
}
