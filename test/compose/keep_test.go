//go:build compose

package compose

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// kept is what has to outlive the containers.
type kept struct {
	Orders  []client.Order
	Mails   []client.Mail
	Intents []client.Intent
	// Schemas are the registry's subjects by their ids.
	Schemas map[string]int
}

func (s *stack) keeps(t *testing.T) (k kept) {
	t.Helper()
	ctx := t.Context()
	var err error
	if k.Orders, err = s.Orders(ctx); err != nil {
		t.Fatal(err)
	}
	if k.Mails, err = s.AllMails(ctx); err != nil {
		t.Fatal(err)
	}
	for _, o := range k.Orders {
		intent, err := s.Intent(ctx, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		k.Intents = append(k.Intents, intent)
	}
	var subjects []string
	if _, err := s.Call(ctx, http.MethodGet, "http://"+s.Registry+"/subjects", nil, &subjects); err != nil {
		t.Fatal(err)
	}
	k.Schemas = make(map[string]int)
	for _, subject := range subjects {
		var latest struct{ ID int }
		url := "http://" + s.Registry + "/subjects/" + subject + "/versions/latest"
		if _, err := s.Call(ctx, http.MethodGet, url, nil, &latest); err != nil {
			t.Fatal(err)
		}
		k.Schemas[subject] = latest.ID
	}
	if len(k.Orders) == 0 || len(k.Mails) == 0 || len(k.Intents) == 0 || len(k.Schemas) == 0 {
		t.Fatalf("there are %d orders, %d mails, %d intents, %d subjects", len(k.Orders), len(k.Mails), len(k.Intents),
			len(k.Schemas))
	}
	return k
}

func (s *stack) lasting(t *testing.T) {
	before := s.keeps(t)
	s.must(t, "down")
	if left := s.must(t, "ps", "--all", "--quiet"); left != "" {
		t.Fatalf("containers are left: %s", left)
	}
	took := s.up(t)
	if diff := cmp.Diff(before, s.keeps(t)); diff != "" {
		t.Errorf("down and up changed (-before +after):\n%s", diff)
	}
	s.confirmed(t, s.order(t, "tok_visa"))
	s.holds(t)
	t.Logf("up again on its volumes took %s", took)
}

// demo shows what `quadrille demo` shows on a platform that runs already.
func (s *stack) demo(t *testing.T) string {
	t.Helper()
	said := s.quadrille(t, "demo", "--token", token)
	if shown := strings.Count(said, " ok "); shown < 10 {
		t.Errorf("it shows %d steps only", shown)
	}
	return said
}

// quadrille runs a command of the program on the machine against the platform.
func (s *stack) quadrille(t *testing.T, args ...string) string {
	t.Helper()
	addresses, err := json.Marshal(s.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, root+"/bin/quadrille", append(args, "--against", string(addresses))...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QUADRILLE_") })
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("quadrille %s: %v", args[0], err)
	}
	return string(said)
}
