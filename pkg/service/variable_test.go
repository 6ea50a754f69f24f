package service

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// example is a service's Config as services declare theirs.
type example struct {
	Config
	Limit  int    `env:"LIMIT" envDefault:"64"`
	Secret string `env:"PASSWORD" secret:"true"`
	Clock  func() time.Time
}

func (e example) WithDefaults() example {
	e.Config = e.Config.WithDefaults("127.0.0.1:1", "127.0.0.1:2", "sqlite:x.db")
	return e
}

func (example) Source() string {
	return `package example
		type other struct {
			// Limit of another.
			Limit int
		}
		type example struct {
			// Limit is how many
			// may run. Defaults to 64.
			Limit int
			// Secret opens the door. Defaults to nothing, which is said: no door.
			Secret string
		}`
}

func TestVariablesAreTheTagsDefaultsAndComments(t *testing.T) {
	got := Variables(&example{})
	find := func(name string) Variable {
		for _, v := range got {
			if v.Name == name {
				return v
			}
		}
		t.Fatalf("no variable %s among %v", name, got)
		return Variable{}
	}
	want := []Variable{
		{Name: "QUADRILLE_HTTP_ADDR", Default: "127.0.0.1:1", Doc: "Where the API listens.", Common: true},
		{Name: "QUADRILLE_DRAIN", Default: "10s", Common: true,
			Doc: "How long requests and batches under way may take to finish at shutdown."},
		{Name: "QUADRILLE_KAFKA_BROKERS", Default: "127.0.0.1:9092", Doc: "The Kafka brokers to start from.", Common: true},
		{Name: "QUADRILLE_LIMIT", Default: "64", Doc: "How many may run."},
		{Name: "QUADRILLE_PASSWORD", Secret: true,
			Doc: "Opens the door. Defaults to nothing, which is said: no door."},
	}
	for _, w := range want {
		if diff := cmp.Diff(w, find(w.Name), cmpopts.IgnoreUnexported(Variable{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.Name, diff)
		}
	}
	if !find("QUADRILLE_ADMIN_TOKEN").Secret || !find("QUADRILLE_DATABASE_URL").Secret {
		t.Error("token and database are no secrets")
	}
	if n := len(got); n != 20 {
		t.Errorf("%d variables, not 20: a field that is none must be left out", n)
	}
}

func TestEveryVariableOfEveryServiceIsDescribed(t *testing.T) {
	for _, v := range Variables(Config{}) {
		if v.Doc == "" || !strings.HasSuffix(v.Doc, ".") {
			t.Errorf("%s is described by %q", v.Name, v.Doc)
		}
	}
}

func TestAConfigWithoutASourceHasVariablesWithoutDescription(t *testing.T) {
	type silent struct {
		Config
		Drain int `env:"SECOND_DRAIN"` // a name that the embedded Config's source has too
	}
	for _, v := range Variables(silent{}) {
		if (v.Doc != "") != v.Common {
			t.Errorf("%s: %q", v.Name, v.Doc)
		}
	}
}

func TestHelpShowsNameDefaultAndMeaning(t *testing.T) {
	var help strings.Builder
	WriteHelp(&help, example{})
	for _, want := range []string{
		"The service service", "\n  QUADRILLE_LIMIT = 64\n      How many may run.\n", "\n  QUADRILLE_PASSWORD (secret)\n",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help does not say %q:\n%s", want, &help)
		}
	}
	for _, line := range strings.Split(help.String(), "\n") {
		if len(line) > helpWidth {
			t.Errorf("too wide: %s", line)
		}
	}
}
