package parts

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// The variables that name parts which run already.
const (
	// KafkaVariable is host:port, or several with commas.
	KafkaVariable = "QUADRILLE_TEST_KAFKA"
	// RegistryVariable is host:port and path of the registry's Confluent API.
	RegistryVariable = "QUADRILLE_TEST_REGISTRY"
	// PostgresVariable is the url of a superuser, or of a user who may create databases and roles.
	PostgresVariable = "QUADRILLE_TEST_POSTGRES"
	// OTLPVariable is host:port that takes traces by HTTP.
	OTLPVariable = "QUADRILLE_TEST_OTLP"
	// JaegerVariable is host:port of Jaeger's API.
	JaegerVariable = "QUADRILLE_TEST_JAEGER"
	// ProxyVariable is host:port of Toxiproxy's API.
	ProxyVariable = "QUADRILLE_TEST_TOXIPROXY"

	// storesVariable names the PostgreSQL server for the tests of stores.
	storesVariable = "QUADRILLE_TEST_POSTGRES_URL"
)

// Addresses are where the parts are. Those of a platform on them are filled in by whoever starts one: the form is that
// of `quadrille up --json`, with more in it.
type Addresses struct {
	client.Addresses
	// Postgres is the url of the superuser, Databases those of the services, by name.
	Postgres  string            `json:"postgres"`
	Databases map[string]string `json:"databases,omitempty"`
	// OTLP takes traces by HTTP, as the services send them; Jaeger shows them.
	OTLP   string `json:"otlp"`
	Jaeger string `json:"jaeger"`
	// Toxiproxy is its API.
	Toxiproxy string `json:"toxiproxy"`
}

// Given reads the variables of parts that run already.
func Given() Addresses {
	return Addresses{
		Addresses: client.Addresses{
			Kafka: os.Getenv(KafkaVariable), Registry: strings.TrimPrefix(os.Getenv(RegistryVariable), "http://"),
		},
		Postgres: os.Getenv(PostgresVariable), OTLP: os.Getenv(OTLPVariable), Jaeger: os.Getenv(JaegerVariable),
		Toxiproxy: os.Getenv(ProxyVariable),
	}
}

// Environment is what Given reads, each variable as NAME=value.
func (a Addresses) Environment() []string {
	variables := map[string]string{
		KafkaVariable: a.Kafka, RegistryVariable: a.Registry, PostgresVariable: a.Postgres, storesVariable: a.Postgres,
		OTLPVariable: a.OTLP, JaegerVariable: a.Jaeger, ProxyVariable: a.Toxiproxy,
	}
	var lines []string
	for name, value := range variables {
		if value != "" {
			lines = append(lines, name+"="+value)
		}
	}
	slices.Sort(lines)
	return lines
}

// Beside returns an environment with what Environment has and it lacks: what is given is used as it is.
func (a Addresses) Beside(env []string) []string {
	given := make(map[string]string, len(env))
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		given[name] = value
	}
	a.Postgres = cmp.Or(given[PostgresVariable], a.Postgres) // which names the server for the tests of stores too
	all := slices.Clone(env)
	for _, variable := range a.Environment() {
		if name, _, _ := strings.Cut(variable, "="); given[name] == "" {
			all = append(all, variable)
		}
	}
	return all
}

// Files of the folder that tells what runs.
const (
	addressesFile   = "addresses.json"
	environmentFile = "environment"
)

// write tells in a folder where the parts are: as JSON, and as lines for a shell.
func (a Addresses) write(dir string) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	var lines strings.Builder
	for _, variable := range a.Environment() {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&lines, "export %s='%s'\n", name, value)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, environmentFile), []byte(lines.String()), 0o644),
		// Last, and at once, for others wait for it.
		os.WriteFile(filepath.Join(dir, addressesFile+".new"), append(text, '\n'), 0o644),
		os.Rename(filepath.Join(dir, addressesFile+".new"), filepath.Join(dir, addressesFile)))
	if err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	return nil
}

// readAddresses reads what write wrote.
func readAddresses(dir string) (a Addresses, err error) {
	text, err := os.ReadFile(filepath.Join(dir, addressesFile))
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read the addresses: %w", err)
	}
	return a, nil
}
