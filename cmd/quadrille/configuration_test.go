package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

func TestTheWrittenConfigurationIsThatOfTheStructs(t *testing.T) {
	for file, write := range map[string]func(io.Writer) error{
		"../../docs/configuration.md": writeMarkdown, "../../.env.example": writeDotenv,
	} {
		var want strings.Builder
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Errorf("%s is not up to date; run `make generate` (-want +got):\n%s", file, diff)
		}
	}
}

func TestEveryVariableIsDescribed(t *testing.T) {
	for _, e := range services {
		for _, v := range service.Variables(e.config()) {
			if v.Doc == "" || !strings.HasSuffix(v.Doc, ".") {
				t.Errorf("%s of %s is described by %q", v.Name, e.name, v.Doc)
			}
		}
	}
	for _, f := range flags() {
		if f.help == "" {
			t.Errorf("%s of %s is not described", f.variable, f.command)
		}
	}
}

// The tags tell the defaults to the page, WithDefaults to whoever starts a service without an environment.
func TestAnEmptyEnvironmentGivesTheDefaults(t *testing.T) {
	for _, e := range services {
		loaded := e.config()
		if err := service.LoadFrom(loaded, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(withDefaults(e.config()), withDefaults(loaded), cmpopts.IgnoreFields(service.Config{}, "Clock"),
			cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: WithDefaults against the tags (-want +got):\n%s", e.name, diff)
		}
	}
}

func withDefaults(cfg any) any {
	return reflect.ValueOf(cfg).Elem().MethodByName("WithDefaults").Call(nil)[0].Interface()
}

func TestServicesShareOneEnvironment(t *testing.T) {
	shared := map[string]string{
		"QUADRILLE_ORDER_TIMEOUT": "1m", "QUADRILLE_CALL_LIMIT": "3", "QUADRILLE_GATEWAY_ADDR": "127.0.0.1:1",
	}
	for _, e := range services {
		if err := loadFrom(shared)(e.config()); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
		err := loadFrom(map[string]string{"QUADRILLE_CALL_LIMT": "3"})(e.config())
		if err == nil || !strings.Contains(err.Error(), "did you mean QUADRILLE_CALL_LIMIT?") {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}

func TestUpHandsAServiceOnlyItsOwnVariables(t *testing.T) {
	c := upCommand{Set: map[string]string{"QUADRILLE_ORDER_TIMEOUT": "10s", "OTEL_SERVICE_NAME": "x"}}
	for _, e := range services {
		got := c.environment(e, defaultAddresses(), &world{gatewayURL: "http://127.0.0.1:8090"})
		if err := service.LoadFrom(e.config(), got); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
		if _, ok := got["QUADRILLE_ORDER_TIMEOUT"]; ok != (e.name == "order") {
			t.Errorf("%s is handed %v", e.name, got)
		}
		if got["OTEL_SERVICE_NAME"] != "x" || got["QUADRILLE_HTTP_ADDR"] == "" {
			t.Errorf("%s is not handed what it needs: %v", e.name, got)
		}
	}
}

func TestSetRefusesAMisspeltName(t *testing.T) {
	for name, want := range map[string]string{
		"QUADRILLE_ORDER_TIMOUT": "did you mean QUADRILLE_ORDER_TIMEOUT?", "ORDER_TIMEOUT": "did you mean QUADRILLE_ORDER_TIMEOUT?",
		"QUADRILLEE_ORDER_TIMEOUT": "did you mean QUADRILLE_ORDER_TIMEOUT?", "QUADRILLE_NONSENSE": "QUADRILLE_NONSENSE is not known",
		"QUADRILLE_ORDER_TIMEOUT": "", "OTEL_TRACES_SAMPLER": "", "GOMAXPROCS": "", "TZ": "", "GODEBUG": "",
	} {
		err := checkSet(map[string]string{name: "1"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("--set %s: %v, want %q", name, err, want)
		}
	}
}

func TestVariablesOfCommandsAreKnown(t *testing.T) {
	for _, name := range []string{"QUADRILLE_GATEWAY_SLOW", "QUADRILLE_KAFKA_BROKERS", "QUADRILLE_CALL_LIMIT"} {
		if !slices.Contains(knownNames(), name) {
			t.Errorf("%s is not known", name)
		}
	}
}

// A reader switches a line on and lets the shell read it.
func TestTheExampleIsReadByAShellAsItStands(t *testing.T) {
	var example strings.Builder
	if err := writeDotenv(&example); err != nil {
		t.Fatal(err)
	}
	on := regexp.MustCompile(`(?m)^#(QUADRILLE_)`).ReplaceAllString(example.String(), "$1")
	file := filepath.Join(t.TempDir(), "all.env")
	if err := os.WriteFile(file, []byte(on), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("bash", "-ec", `set -a; . "$0"; env`, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, e := range services {
		for _, v := range service.Variables(e.config()) {
			if v.Common && !shared(v) {
				continue // the last section wins
			}
			if !strings.Contains("\n"+string(out), "\n"+v.Name+"="+v.Default+"\n") {
				t.Errorf("%s is not %q", v.Name, v.Default)
			}
		}
	}
}
