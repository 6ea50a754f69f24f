package parts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/client"
)

func TestACommandGetsTheAddressesThatItsEnvironmentLacks(t *testing.T) {
	ours := Addresses{Addresses: client.Addresses{Kafka: "ours:1"}, Postgres: "postgres://ours", OTLP: "ours:2"}
	for name, test := range map[string]struct{ env, want []string }{
		"nothing is given": {[]string{"HOME=/"}, []string{
			"HOME=/", "QUADRILLE_TEST_KAFKA=ours:1", "QUADRILLE_TEST_OTLP=ours:2",
			"QUADRILLE_TEST_POSTGRES=postgres://ours", "QUADRILLE_TEST_POSTGRES_URL=postgres://ours",
		}},
		"a broker is given, and an empty address": {[]string{"QUADRILLE_TEST_KAFKA=theirs:1", "QUADRILLE_TEST_OTLP="}, []string{
			"QUADRILLE_TEST_KAFKA=theirs:1", "QUADRILLE_TEST_OTLP=", "QUADRILLE_TEST_OTLP=ours:2",
			"QUADRILLE_TEST_POSTGRES=postgres://ours", "QUADRILLE_TEST_POSTGRES_URL=postgres://ours",
		}},
		"a database server is given": {[]string{"QUADRILLE_TEST_POSTGRES=postgres://theirs"}, []string{
			"QUADRILLE_TEST_POSTGRES=postgres://theirs", "QUADRILLE_TEST_KAFKA=ours:1", "QUADRILLE_TEST_OTLP=ours:2",
			"QUADRILLE_TEST_POSTGRES_URL=postgres://theirs",
		}},
		"one is given for the tests of stores": {[]string{"QUADRILLE_TEST_POSTGRES_URL=postgres://theirs"}, []string{
			"QUADRILLE_TEST_POSTGRES_URL=postgres://theirs", "QUADRILLE_TEST_KAFKA=ours:1",
			"QUADRILLE_TEST_OTLP=ours:2", "QUADRILLE_TEST_POSTGRES=postgres://ours",
		}},
	} {
		if diff := cmp.Diff(test.want, ours.Beside(test.env)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
