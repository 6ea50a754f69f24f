//go:build observability

package observability

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 2 * time.Minute

// program returns the path of the first of names that is installed. Debian calls some otherwise than their makers do.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("none of %q is installed; Debian's packages are prometheus and prometheus-alertmanager", names)
	}
	t.Skipf("SKIPPED: none of %q is installed; Debian's packages are prometheus and prometheus-alertmanager", names)
	return ""
}

// eventually calls try until it returns nil.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Until(ctx, what, try); err != nil {
		t.Fatal(err)
	}
}

// serve starts a server, which is stopped when the test ends, and waits until it answers 200 at a URL.
func serve(t *testing.T, path, ready string, args ...string) {
	t.Helper()
	p, err := launch.Start(launch.Config{Path: path, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	eventually(t, filepath.Base(path)+" to be ready", func() error {
		select {
		case <-p.Exited():
			return nil // its stop tells why
		default:
		}
		res, err := http.Get(ready)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
	select {
	case <-p.Exited():
		t.Fatalf("%s ended", filepath.Base(path))
	default:
	}
}

// object is what YAML calls a mapping.
type object = map[string]any

// edited writes a deployed file into a folder, changed, and returns where.
func edited(t *testing.T, folder, name string, edit func(object)) string {
	t.Helper()
	read := make(object)
	readYAML(t, filepath.Join(deployed, name), &read)
	edit(read)
	text, err := yaml.Marshal(read)
	path := filepath.Join(folder, name)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// watch starts Alertmanager and Prometheus with the deployed configuration. Only addresses and patience are others: of
// each job the targets are given, and alerts go as mails to an address.
func watch(t *testing.T, targets map[string][]string, smtp string) *prometheus {
	t.Helper()
	addrs, err := launch.FreeAddresses(2)
	if err != nil {
		t.Fatal(err)
	}
	folder, ruled := t.TempDir(), filepath.Join(t.TempDir(), "rules")
	if err := os.Mkdir(ruled, 0o700); err != nil {
		t.Fatal(err)
	}
	scale(t, ruled)

	alertmanager := edited(t, folder, "alertmanager.yml", func(c object) {
		c["global"].(object)["smtp_smarthost"] = smtp
		route := c["route"].(object)
		route["group_wait"], route["group_interval"] = "100ms", "1s"
	})
	serve(t, program(t, "alertmanager", "prometheus-alertmanager"), "http://"+addrs[0]+"/-/ready",
		"--config.file="+alertmanager, "--storage.path="+t.TempDir(),
		"--web.listen-address="+addrs[0], "--cluster.listen-address=")

	config := edited(t, folder, "prometheus.yml", func(c object) {
		c["global"] = object{"scrape_interval": "1s", "evaluation_interval": "1s"}
		c["rule_files"] = []string{filepath.Join(ruled, "*.yml")}
		c["alerting"] = object{"alertmanagers": []object{{"static_configs": []object{{"targets": addrs[:1]}}}}}
		var jobs []any
		for _, each := range c["scrape_configs"].([]any) {
			job := each.(object)
			of, given := targets[fmt.Sprint(job["job_name"])]
			if !given {
				continue
			}
			delete(job, "dns_sd_configs")
			delete(job, "authorization")
			job["static_configs"] = []object{{"targets": of}}
			jobs = append(jobs, job)
		}
		if len(jobs) != len(targets) {
			t.Fatalf("prometheus.yml scrapes %d of %d", len(jobs), len(targets))
		}
		c["scrape_configs"] = jobs
	})
	serve(t, program(t, "prometheus"), "http://"+addrs[1]+"/-/ready", "--config.file="+config,
		"--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+addrs[1],
		"--rules.alert.resend-delay=1s", "--log.level=warn")
	return &prometheus{url: "http://" + addrs[1]}
}

func TestTheDeployedConfigurationsAreWellFormed(t *testing.T) {
	promtool, amtool := program(t, "promtool"), program(t, "amtool")
	ruled := filepath.Join(deployed, "rules")
	for _, args := range [][]string{
		{promtool, "check", "config", "--syntax-only", filepath.Join(deployed, "prometheus.yml")},
		{promtool, "check", "rules", filepath.Join(ruled, "alerts.yml"), filepath.Join(ruled, "records.yml")},
		{promtool, "test", "rules", "alerts.yml"},
		{amtool, "check-config", filepath.Join(deployed, "alertmanager.yml")},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
