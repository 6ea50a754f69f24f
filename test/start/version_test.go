package start

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

const (
	version  = "1.4.2-test"
	revision = "0123456789abcdef"
)

// TestAllThatTellsTheVersionTellsTheSame compares, for a service as a program of its own and as a part of quadrille, the
// flag, the log, the admin listener and the resource of the telemetry with what the linker was told.
func TestAllThatTellsTheVersionTellsTheSame(t *testing.T) {
	dir := t.TempDir()
	build := func(name, path string) string {
		t.Helper()
		to := filepath.Join(dir, name)
		out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags",
			"-X main.version="+version+" -X main.revision="+revision, "-o", to,
			"github.com/quadrille-platform/quadrille/"+path).CombinedOutput()
		if err != nil {
			t.Fatalf("build %s: %v\n%s", path, err, out)
		}
		return to
	}
	for name, test := range map[string]struct {
		program string
		tell    []string // what has it print its version
		run     []string // what has it run the service
	}{
		"order":     {build("order", "services/order/cmd/order"), []string{"-version"}, nil},
		"quadrille": {build("quadrille", "cmd/quadrille"), []string{"version"}, []string{"service", "order"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), test.program, test.tell...).Output()
			want := name + " " + version + " " + revision
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("%s %s: %q, %v; want %q", name, test.tell, got, err, want)
			}
			addrs, err := launch.FreeAddresses(3)
			if err != nil {
				t.Fatal(err)
			}
			process, err := launch.Start(launch.Config{Path: test.program, Args: test.run, Env: []string{
				"QUADRILLE_HTTP_ADDR=" + addrs[0], "QUADRILLE_ADMIN_ADDR=" + addrs[1],
				"QUADRILLE_DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "order.db"),
				"QUADRILLE_REGISTRY_URL=http://" + addrs[2], // where nobody is: it waits, and tells its version all the same
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := process.Stop(syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			}()
			tellsItsVersion(t, process, addrs[1])
		})
	}
}

func tellsItsVersion(t *testing.T, process *launch.Process, admin string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var told struct{ Version, Revision string }
	err := client.Until(ctx, "the admin listener", func() error {
		_, err := client.New(client.Addresses{}).Call(ctx, http.MethodGet, "http://"+admin+"/version", nil, &told)
		return err
	})
	if err != nil || told.Version != version || told.Revision != revision {
		t.Errorf("/version tells %+v, %v", told, err)
	}

	answer, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	metrics, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	// The resource that is told with spans too.
	_, info, found := bytes.Cut(metrics, []byte("\ntarget_info{"))
	info, _, _ = bytes.Cut(info, []byte("\n"))
	for _, want := range []string{`service_version="` + version + `"`, `vcs_ref_head_revision="` + revision + `"`} {
		if !found || !bytes.Contains(info, []byte(want)) {
			t.Errorf("the resource is %s, without %s", info, want)
		}
	}

	line, _, _ := strings.Cut(process.Stderr(), "\n")
	var logged struct{ Msg, Version, Revision string }
	err = json.Unmarshal([]byte(line), &logged)
	if got := fmt.Sprint(logged); err != nil || got != fmt.Sprint(struct{ A, B, C string }{"starting", version, revision}) {
		t.Errorf("the log begins with %q, %v", line, err)
	}
}
