package standin

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// certificates of this machine: what it speaks to on its way out, the builds speak to.
const certificates = "/etc/ssl/certs/ca-certificates.crt"

// golang is the Go of this machine.
func golang(ctx context.Context, _ *Maker, to *archive) error {
	said, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOPROXY", "GOSUMDB").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	env := strings.Split(strings.TrimSpace(string(said)), "\n")
	if err := to.tree("go", env[0]); err != nil {
		return err
	}
	settings := fmt.Appendf(nil, "GOPROXY=%s\nGOSUMDB=%s\nGOTOOLCHAIN=local\n", env[1], env[2])
	if err := to.file("go/go.env", settings); err != nil {
		return err
	}
	return to.hostFile("ca-certificates.crt", certificates)
}

// static has no programs.
func static(_ context.Context, _ *Maker, to *archive) error {
	if err := to.tree("zoneinfo", "/usr/share/zoneinfo"); err != nil {
		return err
	}
	return to.hostFile("ca-certificates.crt", certificates)
}

func kafka(ctx context.Context, m *Maker, to *archive) error {
	jars, err := m.Store.Kafka(ctx)
	if err == nil {
		err = to.tree("libs", jars)
	}
	if err != nil {
		return err
	}
	return m.java(ctx, to)
}

func registry(ctx context.Context, m *Maker, to *archive) error {
	app, err := m.Store.Registry(ctx)
	if err == nil {
		err = to.tree("app", app)
	}
	if err != nil {
		return err
	}
	return m.java(ctx, to)
}

func postgres(ctx context.Context, m *Maker, to *archive) error {
	programs, err := m.Store.Postgres(ctx)
	if err != nil {
		return err
	}
	return to.tree("programs", programs)
}

func jaeger(ctx context.Context, m *Maker, to *archive) error {
	program, err := m.Store.Jaeger(ctx)
	if err != nil {
		return err
	}
	return to.hostFile("jaeger-linux", program)
}

func collector(_ context.Context, m *Maker, to *archive) error {
	if err := to.hostFile("collector", m.Collector); err != nil {
		return fmt.Errorf("%w (make bin/collector builds it)", err)
	}
	return nil
}

func prometheus(_ context.Context, _ *Maker, to *archive) error {
	return to.program("prometheus", "prometheus")
}

// templates of Debian's Alertmanager, which has none in its program.
const templates = "/usr/share/prometheus/alertmanager"

func alertmanager(_ context.Context, _ *Maker, to *archive) error {
	if err := to.program("alertmanager", "prometheus-alertmanager"); err != nil {
		return err
	}
	return to.tree("templates", templates)
}

// program adds a program of this machine under the name that it has in the image.
func (a *archive) program(name, program string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("%w (Debian: package %s)", err, program)
	}
	return a.hostFile(name, path)
}

func (m *Maker) java(ctx context.Context, to *archive) error {
	runtime, err := m.Store.JavaRuntime(ctx)
	if err != nil {
		return err
	}
	return to.tree("java", runtime)
}
