package parts

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

//go:embed jaeger.yaml
var jaegerConfig []byte

// Jaeger keeps traces in memory.
type Jaeger struct {
	// Addr is where its API answers, OTLP where it takes traces by gRPC, OTLPHTTP by HTTP; each is host:port.
	Addr, OTLP, OTLPHTTP string
	process              *process
}

// StartJaeger starts one and returns once it answers. Dir keeps its configuration, logs what it says.
func StartJaeger(ctx context.Context, store Store, dir, logs string) (*Jaeger, error) {
	path, err := store.Jaeger(ctx)
	if err != nil {
		return nil, err
	}
	addrs, err := launch.FreeAddresses(4)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "jaeger.yaml")
	if err := os.WriteFile(config, jaegerConfig, 0o644); err != nil {
		return nil, fmt.Errorf("configuration of Jaeger: %w", err)
	}
	j := &Jaeger{Addr: addrs[0], OTLP: addrs[1], OTLPHTTP: addrs[2]}
	env := []string{
		"JAEGER_HTTP=" + j.Addr, "JAEGER_GRPC=" + addrs[3], "OTLP_GRPC=" + j.OTLP, "OTLP_HTTP=" + j.OTLPHTTP,
	}
	j.process, err = start("Jaeger", filepath.Join(logs, "jaeger.log"), env, path, "--config", config)
	if err != nil {
		return nil, err
	}
	err = j.process.ready(ctx, func(ctx context.Context) error {
		return answers(ctx, "http://"+j.Addr+"/api/services")
	})
	if err != nil {
		_ = j.Stop() // the first error says enough
		return nil, err
	}
	return j, nil
}

// Stop stops it. Its traces are gone.
func (j *Jaeger) Stop() error { return j.process.stop() }
