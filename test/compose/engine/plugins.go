package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// plugins sees that docker compose and docker buildx are there, and builds those that are not.
func (e *Engine) plugins(ctx context.Context) error {
	missing := func() (names []string) {
		for _, name := range []string{"compose", "buildx"} {
			if _, err := e.Output(ctx, name, "version"); err != nil {
				names = append(names, name)
			}
		}
		return names
	}
	if len(missing()) == 0 {
		return nil
	}
	config := filepath.Join(e.config.Dir, "docker")
	e.env = append(e.env, "DOCKER_CONFIG="+config)
	for _, name := range missing() {
		fmt.Fprintf(e.config.Progress, "building docker %s, which takes some minutes\n", name)
		if err := build(ctx, e.config.Plugins, name, filepath.Join(config, "cli-plugins", "docker-"+name)); err != nil {
			return err
		}
		if _, err := e.Output(ctx, name, "version"); err != nil {
			return err
		}
	}
	return nil
}

// plugin is how one is built: its module, its program there, and the variable that tells the version. Compose refuses a
// Buildx that does not tell it.
type plugin struct{ module, program, version string }

var programs = map[string]plugin{
	"compose": {"github.com/docker/compose/v2", "/cmd", "/internal.Version"},
	"buildx":  {"github.com/docker/buildx", "/cmd/buildx", "/version.Version"},
}

func build(ctx context.Context, module, name, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("folder of the plugins: %w", err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "nice", append([]string{"go"}, args...)...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
		said, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build docker %s: %w\n%s", name, err, said)
		}
		return strings.TrimSpace(string(said)), err
	}
	half, p := path+".half", programs[name]
	version, err := run("list", "-m", "-f", "{{.Version}}", p.module)
	if err != nil {
		return err
	}
	if _, err := run("build", "-trimpath", "-gcflags=all=-dwarf=false",
		"-ldflags", "-s -w -X "+p.module+p.version+"="+version, "-o", half, p.module+p.program); err != nil {
		return err
	}
	return os.Rename(half, path)
}
