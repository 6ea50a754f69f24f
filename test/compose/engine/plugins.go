package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// programs by the name of the plugin.
var programs = map[string]string{
	"compose": "github.com/docker/compose/v2/cmd",
	"buildx":  "github.com/docker/buildx/cmd/buildx",
}

func build(ctx context.Context, module, name, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("folder of the plugins: %w", err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	half := path + ".half"
	cmd := exec.CommandContext(ctx, "nice", "go", "build", "-trimpath", "-gcflags=all=-dwarf=false",
		"-ldflags", "-s -w", "-o", half, programs[name])
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build docker %s: %w\n%s", name, err, said)
	}
	return os.Rename(half, path)
}
