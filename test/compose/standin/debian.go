package standin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// packages of the base beside the smallest system: what health checks and scripts call.
const packages = "bash,ca-certificates,postgresql-client,wget"

// debian makes the base unless it is there, from the packages of the distribution.
func (m *Maker) debian(ctx context.Context) error {
	if m.Docker(ctx, nil, "image", "inspect", "--format", "{{.Id}}", base) == nil {
		return nil
	}
	if err := os.MkdirAll(m.Store.Dir, 0o755); err != nil {
		return fmt.Errorf("folder of the base: %w", err)
	}
	dir, err := os.MkdirTemp(m.Store.Dir, "debian-")
	if err != nil {
		return fmt.Errorf("folder of the base: %w", err)
	}
	defer os.RemoveAll(dir)
	root, archive := filepath.Join(dir, "root"), filepath.Join(dir, "root.tar")
	for _, command := range [][]string{
		{"debootstrap", "--variant=minbase", "--include=" + packages, "bookworm", root},
		{"rm", "-rf", root + "/var/cache/apt", root + "/var/lib/apt/lists", root + "/usr/share/doc"},
		{"tar", "-C", root, "-cf", archive, "."},
	} {
		if said, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the base: %s: %w\n%s", command[0], err, said)
		}
	}
	const path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	return m.Docker(ctx, nil, "import", "--change", path, archive, base)
}
