package parts

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// What is fetched. A change of a version makes a folder of its own.
const (
	kafkaVersion    = "4.3.1" // as kafka.pom.xml has it
	registryVersion = "3.3.3"
	jaegerVersion   = "1.76.0" // whose cmd/jaeger is Jaeger 2
	proxyVersion    = "2.12.0"

	mavenPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:"
)

//go:embed kafka.pom.xml
var kafkaPOM []byte

// Store is a folder that keeps what was fetched. Each thing is fetched once, by the client of its registry, which
// verifies it.
type Store struct {
	// Dir is made if it is missing.
	Dir string
	// Progress is told what takes time. Defaults to nobody.
	Progress io.Writer
}

// Kafka returns the folder of its jars.
func (s Store) Kafka(ctx context.Context) (string, error) {
	what := "fetching Kafka " + kafkaVersion + " from Maven Central"
	return s.once(ctx, "kafka-"+kafkaVersion, what, func(dir string) error {
		pom := filepath.Join(dir, "pom.xml")
		if err := os.WriteFile(pom, kafkaPOM, 0o644); err != nil {
			return err
		}
		return maven(ctx, "-f", pom, mavenPlugin+"copy-dependencies", "-DincludeScope=runtime",
			"-DoutputDirectory="+dir)
	})
}

// Registry returns the folder of the unpacked Apicurio Registry.
func (s Store) Registry(ctx context.Context) (string, error) {
	const artifact = "io.apicurio:apicurio-registry-app:" + registryVersion + ":tar.gz:all"
	what := "fetching Apicurio Registry " + registryVersion + " from Maven Central"
	return s.once(ctx, "apicurio-"+registryVersion, what, func(dir string) error {
		archive := filepath.Join(dir, "apicurio-registry-app-"+registryVersion+"-all.tar.gz")
		err := maven(ctx, mavenPlugin+"copy", "-Dartifact="+artifact, "-DoutputDirectory="+dir)
		if err == nil {
			err = run(exec.CommandContext(ctx, "tar", "-xzf", archive, "-C", dir))
		}
		return errors.Join(err, os.Remove(archive))
	})
}

// Jaeger returns the path of its program. Its web page is not part of the module; the API is.
func (s Store) Jaeger(ctx context.Context) (string, error) {
	const module = "github.com/jaegertracing/jaeger@v" + jaegerVersion
	what := "building Jaeger " + jaegerVersion + ", which takes some minutes"
	dir, err := s.once(ctx, "jaeger-"+jaegerVersion, what, func(dir string) error {
		return build(ctx, module, "./cmd/jaeger", filepath.Join(dir, "jaeger"))
	})
	return filepath.Join(dir, "jaeger"), err
}

// Toxiproxy returns the path of its server.
func (s Store) Toxiproxy(ctx context.Context) (string, error) {
	const module = "github.com/Shopify/toxiproxy/v2@v" + proxyVersion
	dir, err := s.once(ctx, "toxiproxy-"+proxyVersion, "building Toxiproxy "+proxyVersion, func(dir string) error {
		return build(ctx, module, "./cmd/server", filepath.Join(dir, "toxiproxy"))
	})
	return filepath.Join(dir, "toxiproxy"), err
}

// once returns the folder of a name, which fill fills if it is not there yet. What is half made is never found, and of
// several processes one does the work.
func (s Store) once(ctx context.Context, name, what string, fill func(dir string) error) (string, error) {
	dir, err := filepath.Abs(filepath.Join(s.Dir, name))
	if err != nil {
		return "", fmt.Errorf("folder for the parts: %w", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return "", fmt.Errorf("folder for the parts: %w", err)
	}
	if s.Progress != nil {
		fmt.Fprintln(s.Progress, what)
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), name+"-")
	if err != nil {
		return "", fmt.Errorf("folder for the parts: %w", err)
	}
	defer os.RemoveAll(half)
	if err := errors.Join(os.Chmod(half, 0o755), fill(half)); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return dir, os.Rename(half, dir)
}

// lock waits for a file that one process holds at a time.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			_ = file.Close()
			return nil, fmt.Errorf("wait for %s: %w", path, ctx.Err())
		case <-timer.C:
		}
	}
}

func maven(ctx context.Context, args ...string) error {
	path, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not installed (Debian: package maven)")
	}
	// -C: a wrong checksum is a failure.
	return run(exec.CommandContext(ctx, path, append([]string{"-B", "-q", "-C"}, args...)...))
}

// build builds a program of a module by that module's own go.mod, for what it replaces would not count elsewhere.
func build(ctx context.Context, module, program, path string) error {
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	download.Env = append(os.Environ(), "GOWORK=off")
	download.Dir = filepath.Dir(path) // which is no module
	said, err := download.Output()
	var found struct{ Dir, Error string }
	if err := errors.Join(err, json.Unmarshal(said, &found)); err != nil {
		return fmt.Errorf("go mod download %s: %w: %s", module, err, found.Error)
	}
	cmd := exec.CommandContext(ctx, "nice", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, program)
	cmd.Dir = found.Dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	return run(cmd)
}

// run runs a command; its error holds what it said last.
func run(cmd *exec.Cmd) error {
	said, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	lines = lines[max(0, len(lines)-lastLines):]
	return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, strings.Join(lines, "\n"))
}
