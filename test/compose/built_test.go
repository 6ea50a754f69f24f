//go:build compose

package compose

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"
)

// imageAtMost is how large an image of ours may be as it is pulled and as a registry keeps it, in bytes.
const imageAtMost = 40e6

func (s *stack) built(t *testing.T) {
	began := time.Now()
	s.must(t, "build")
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	for _, command := range append([]string{"quadrille"}, services...) {
		image := "quadrille/" + command + ":proof-1"
		packed := s.packed(t, image)
		t.Logf("%s has %.1f MB to pull, %s bytes unpacked", image, packed/1e6, s.inspect(t, image, "{{.Size}}"))
		if packed > imageAtMost {
			t.Errorf("%s has %.1f MB", image, packed/1e6)
		}
		label := s.inspect(t, image, `{{with .Config}}{{index .Labels "org.opencontainers.image.version"}} `+
			`{{index .Labels "org.opencontainers.image.revision"}} {{.User}} {{.Healthcheck.Test}}{{end}}`)
		if label != "proof-1 0123456789abcdef 65532:65532 [CMD /app healthcheck]" {
			t.Errorf("%s is labelled %q", image, label)
		}
		ask := "-version"
		if command == "quadrille" {
			ask = "version"
		}
		said, err := s.engine.Output(t.Context(), "run", "--rm", "--read-only", "--network", "none", image, ask)
		if err != nil || said != command+" proof-1 0123456789abcdef" {
			t.Errorf("%s %s says %q (%v)", image, ask, said, err)
		}
		said, err = s.engine.Output(t.Context(), "run", "--rm", "--network", "none", "--entrypoint", "/app", image, "healthcheck")
		if err == nil || !strings.Contains(err.Error(), "healthcheck: ") {
			t.Errorf("%s is healthy without a service: %q (%v)", image, said, err)
		}
	}
}

// packed is the size of an image as a registry keeps it.
func (s *stack) packed(t *testing.T, image string) float64 {
	t.Helper()
	var size counter
	pack := gzip.NewWriter(&size)
	if err := s.engine.To(t.Context(), pack, "save", image); err != nil {
		t.Fatal(err)
	}
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	return float64(size)
}

// counter counts what is written to it.
type counter int64

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
