package parts

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

const registryJava = 21

// RegistryConfig says which schema registry to start.
type RegistryConfig struct {
	Store Store
	// Database is the url of the one that keeps its schemas and their ids, as its role uses it.
	Database Database
	// Logs is the folder of what it says.
	Logs string
}

// Registry is an Apicurio Registry, asked by its Confluent API.
type Registry struct {
	command    []string
	addr, log  string
	management string
	process    *process
}

// StartRegistry starts one and returns once it answers.
func StartRegistry(ctx context.Context, cfg RegistryConfig) (*Registry, error) {
	path, err := java(ctx, registryJava, "Apicurio Registry "+registryVersion)
	if err != nil {
		return nil, err
	}
	dir, err := cfg.Store.Registry(ctx)
	if err != nil {
		return nil, err
	}
	addrs, err := launch.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	r := &Registry{addr: addrs[0], management: addrs[1], log: filepath.Join(cfg.Logs, "registry.log")}
	r.command = []string{path, "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	for i, prefix := range []string{"-Dquarkus.http.", "-Dquarkus.management."} {
		host, port, err := net.SplitHostPort(addrs[i])
		if err != nil {
			return nil, fmt.Errorf("address of the registry: %w", err)
		}
		r.command = append(r.command, prefix+"host="+host, prefix+"port="+port)
	}
	// Its own default is no compatibility at all.
	r.command = append(r.command, "-Dquarkus.log.level=WARN", "-Dapicurio.rules.global.compatibility=FULL_TRANSITIVE",
		"-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=postgresql",
		"-Dapicurio.datasource.url=jdbc:postgresql://"+cfg.Database.Addr+"/"+cfg.Database.Name,
		"-Dapicurio.datasource.username="+cfg.Database.Name, "-Dapicurio.datasource.password="+cfg.Database.Password,
		"-jar", filepath.Join(dir, "quarkus-run.jar"))
	if err := r.Start(ctx); err != nil {
		_ = r.Stop() // the first error says enough
		return nil, err
	}
	return r, nil
}

// Start starts it where it always listens, and returns once it answers.
func (r *Registry) Start(ctx context.Context) (err error) {
	if r.process, err = start("Apicurio Registry", r.log, nil, r.command...); err != nil {
		return err
	}
	return r.process.ready(ctx, func(ctx context.Context) error {
		return answers(ctx, "http://"+r.management+"/health/ready")
	})
}

// Stop stops it. Its schemas stay.
func (r *Registry) Stop() error { return r.process.stop() }

// Base is host:port and path of its Confluent API.
func (r *Registry) Base() string { return r.addr + "/apis/ccompat/v7" }

// answers is nil once an address answers with success.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
