package service

import (
	"strings"
	"testing"
	"time"
)

var some = []string{
	"QUADRILLE_ORDER_TIMEOUT", "QUADRILLE_DRAIN", "QUADRILLE_CALL_LIMIT", "QUADRILLE_HTTP_ADDR", "QUADRILLE_ADMIN_ADDR",
}

func TestAnUnknownVariableIsRefusedWithTheNearestName(t *testing.T) {
	for name, want := range map[string]string{
		"QUADRILLE_ORDER_TIMOUT": "QUADRILLE_ORDER_TIMOUT is not known; did you mean QUADRILLE_ORDER_TIMEOUT?",
		"QUADRILLE_DRIAN":        "QUADRILLE_DRIAN is not known",
		"QUADRILLE_DRAINS":       "did you mean QUADRILLE_DRAIN?",
		"QUADRILLE_HTP_ADDR":     "did you mean QUADRILLE_HTTP_ADDR?",
		"QUADRILLE_SOMETHING":    "QUADRILLE_SOMETHING is not known",
		"QUADRILLE_":             "QUADRILLE_ is not known",
		"QUADRILLE_ORDER_PORT":   "QUADRILLE_ORDER_PORT is not known",
	} {
		err := CheckNames(map[string]string{name: "1", "QUADRILLE_DRAIN": "1s", "PATH": "/bin"}, some)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	err := CheckNames(map[string]string{"QUADRILLE_B": "", "QUADRILLE_A": ""}, some)
	if err == nil || !strings.HasPrefix(err.Error(), "QUADRILLE_A ") || !strings.Contains(err.Error(), "\nQUADRILLE_B ") {
		t.Errorf("two at once: %v", err)
	}
}

func TestVariablesOfOthersAreLetPass(t *testing.T) {
	for _, environment := range []map[string]string{
		{"HOME": "/", "OTEL_SERVICE_NAME": "x", "QUADRILL": "x"},
		{"QUADRILLE_TEST_POSTGRES_URL": "postgres://"},
		{ // a Kubernetes Service called quadrille-order
			"QUADRILLE_ORDER_SERVICE_HOST": "10.0.0.1", "QUADRILLE_ORDER_SERVICE_PORT": "8081",
			"QUADRILLE_ORDER_SERVICE_PORT_HTTP": "8081", "QUADRILLE_ORDER_PORT": "tcp://10.0.0.1:8081",
			"QUADRILLE_ORDER_PORT_8081_TCP": "tcp://10.0.0.1:8081", "QUADRILLE_ORDER_PORT_8081_TCP_PORT": "8081",
			"QUADRILLE_ORDER_PORT_8081_TCP_ADDR": "10.0.0.1", "QUADRILLE_ORDER_PORT_8081_TCP_PROTO": "tcp",
		},
	} {
		if err := CheckNames(environment, some); err != nil {
			t.Error(err)
		}
	}
}

func TestLoadRefusesWhatItsConfigDoesNotKnow(t *testing.T) {
	type embedding struct {
		Config
		Timeout time.Duration `env:"ORDER_TIMEOUT"`
	}
	t.Setenv("QUADRILLE_ORDER_TIMOUT", "1s")
	t.Setenv("QUADRILLE_DRAIN", "soon")
	err := Load(new(embedding))
	for _, want := range []string{"QUADRILLE_ORDER_TIMOUT is not known; did you mean QUADRILLE_ORDER_TIMEOUT?", "QUADRILLE_DRAIN"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	shared := map[string]string{"QUADRILLE_CALL_LIMIT": "3", "QUADRILLE_ORDER_TIMEOUT": "4s"}
	if err := LoadFrom(new(embedding), shared); err == nil {
		t.Error("another service's variable went unnoticed")
	}
	var cfg embedding
	if err := LoadFrom(&cfg, shared, "QUADRILLE_CALL_LIMIT"); err != nil || cfg.Timeout != 4*time.Second {
		t.Errorf("in a shared environment: %v, %+v", err, cfg)
	}
}

func TestDistanceCountsLetters(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ac", 1},
		{"kitten", "sitting", 3}, {"ab", "ba", 2},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
