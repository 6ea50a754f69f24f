// Package layers holds every service, one that is added tomorrow included, to the direction of imports. The linter says
// the same of the services that its configuration names, and more.
package layers

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const services = "github.com/quadrille-platform/quadrille/services/"

// mayNot says which packages below internal a package there may not import: docs/adr/0011.
var mayNot = map[string][]string{
	"api": {"kafka"}, "kafka": {"api", "store"}, "store": {"api", "kafka"}, "readmodel": {"api", "kafka", "store"},
}

func TestServicesImportInOneDirection(t *testing.T) {
	folders, err := filepath.Glob("../../services/*/go.mod")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no services: %v", err)
	}
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		t.Run(name, func(t *testing.T) {
			err := filepath.WalkDir(filepath.Dir(folder), func(file string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() || filepath.Ext(file) != ".go" {
					return err
				}
				return check(t, name, file)
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func check(t *testing.T, service, file string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	var imports []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		imports = append(imports, imported)
	}
	for _, fault := range faults(service, filepath.Base(filepath.Dir(file)), imports) {
		t.Errorf("%s %s", file, fault)
	}
	return nil
}

// faults of a package of a service, which lies in the folder of this name.
func faults(service, folder string, imports []string) []string {
	var found []string
	for _, imported := range imports {
		rest, ours := strings.CutPrefix(imported, services)
		if !ours {
			continue
		}
		other, within, _ := strings.Cut(rest, "/")
		if other != service {
			found = append(found, "imports the service "+other+": services never import each other")
		}
		for _, forbidden := range mayNot[folder] {
			if within == path.Join("internal", forbidden) {
				found = append(found, "imports "+within+", which "+folder+" must not know")
			}
		}
	}
	return found
}

func TestFaultsAreFound(t *testing.T) {
	tests := map[string]struct {
		folder, imported string
		want             int
	}{
		"its own domain":             {"store", services + "order/internal/order", 0},
		"another service":            {"order", services + "payment", 1},
		"the store, from the API":    {"api", services + "order/internal/store", 0},
		"the store, from Kafka":      {"kafka", services + "order/internal/store", 1},
		"Kafka, from the store":      {"store", services + "order/internal/kafka", 1},
		"the API, from the store":    {"store", services + "order/internal/api", 1},
		"another's store, from here": {"kafka", services + "payment/internal/store", 2},
		"the store, from the models": {"readmodel", services + "order/internal/store", 1},
		"a library":                  {"store", "github.com/google/go-cmp/cmp", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := faults("order", test.folder, []string{test.imported}); len(got) != test.want {
				t.Errorf("faults %q, want %d", got, test.want)
			}
		})
	}
}

// What rebuilds a read model cannot even name what publishes, calls or sets timers: G10.
func TestNothingThatActsIsInTheReachOfARebuild(t *testing.T) {
	const module = "github.com/quadrille-platform/quadrille/"
	acting := []string{
		"pkg/outbox", "pkg/work", "pkg/service", "pkg/kafka", "pkg/httpapi",
		"services/order/internal/store", "services/order/internal/api", "services/order/internal/kafka",
	}
	models, err := filepath.Glob("../../services/*/internal/readmodel")
	if err != nil || len(models) == 0 {
		t.Fatalf("no read models: %v", err)
	}
	packages := []string{module + "pkg/projection"}
	for _, folder := range models {
		service := filepath.Base(filepath.Dir(filepath.Dir(folder)))
		packages = append(packages, services+service+"/internal/readmodel")
	}
	for _, name := range packages {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", name).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", name, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			rest, ours := strings.CutPrefix(dep, module)
			if !ours {
				continue
			}
			for _, forbidden := range acting {
				if strings.HasPrefix(rest, forbidden) {
					t.Errorf("G10: %s reaches %s", name, dep)
				}
			}
		}
	}
}
