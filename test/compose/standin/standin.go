// Package standin makes images in the place of those that a machine cannot pull, under their names: what is in them
// comes from package registries. They prove the project's Dockerfile, its docker-compose.yml and its images; the
// scripts of the images that they stand for they do not prove.
package standin

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

// Label marks a stand-in.
const Label = "quadrille.standin"

// base is what the others are made from, a name that nobody pulls.
const base = "quadrille-standin/debian:bookworm"

//go:embed images
var images embed.FS

// Docker runs the docker command, which reads stdin if that is not nil.
type Docker func(ctx context.Context, stdin io.Reader, args ...string) error

// Maker makes stand-ins.
type Maker struct {
	Docker Docker
	// Store has what is in them.
	Store parts.Store
	// Collector is the program that `make bin/collector` builds.
	Collector string
}

// recipe fills the context of a stand-in's Dockerfile, beside what is embedded.
type recipe func(ctx context.Context, m *Maker, to *archive) error

// recipes by the name that an image stands for, and the folder of images that it is made by.
var recipes = map[string]struct {
	folder string
	fill   recipe
}{
	"golang:1.26": {"golang", golang},
	"gcr.io/distroless/static-debian12:nonroot":    {"static", static},
	"apache/kafka:4.3.1":                           {"kafka", kafka},
	"apicurio/apicurio-registry:3.3.3":             {"registry", registry},
	"postgres:18":                                  {"postgres", postgres},
	"jaegertracing/jaeger:2.13.0":                  {"jaeger", jaeger},
	"otel/opentelemetry-collector-contrib:0.140.1": {"collector", collector},
	"prom/prometheus:v3.5.0":                       {"prometheus", prometheus},
	"prom/alertmanager:v0.28.1":                    {"alertmanager", alertmanager},
}

// Knows reports whether there is a stand-in for an image.
func Knows(name string) bool { return recipes[name].fill != nil }

// Version is that of the recipe of an image's stand-in, by which it is labelled.
func Version(name string) string {
	hash := sha256.New()
	folder := path.Join("images", recipes[name].folder)
	files, _ := images.ReadDir(folder) // it is embedded
	for _, f := range files {
		data, _ := images.ReadFile(path.Join(folder, f.Name()))
		fmt.Fprintln(hash, f.Name(), len(data))
		hash.Write(data)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

// Make makes the stand-in for an image.
func (m *Maker) Make(ctx context.Context, name string) error {
	r, ok := recipes[name]
	if !ok {
		return fmt.Errorf("nothing can stand in for %s", name)
	}
	if err := m.debian(ctx); err != nil {
		return err
	}
	if err := m.build(ctx, name, r.folder, r.fill); err != nil {
		return fmt.Errorf("stand-in for %s: %w", name, err)
	}
	return nil
}

// build hands the engine a context while it is written.
func (m *Maker) build(ctx context.Context, name, folder string, fill recipe) error {
	reader, writer := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		to := &archive{tar.NewWriter(writer)}
		err := to.embedded("images/" + folder)
		if err == nil && fill != nil {
			err = fill(ctx, m, to)
		}
		if err == nil {
			err = to.Close()
		}
		writer.CloseWithError(err) // nil ends it
		return err
	})
	g.Go(func() error {
		err := m.Docker(ctx, reader, "build", "--quiet", "--label", Label+"="+Version(name), "--tag", name, "-")
		reader.CloseWithError(io.ErrClosedPipe)
		return err
	})
	return g.Wait()
}
