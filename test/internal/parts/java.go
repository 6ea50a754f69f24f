package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// java returns the first Java runtime of at least a version: that of JAVA_HOME, of the PATH, or of /usr/lib/jvm.
func java(ctx context.Context, atLeast int, wants string) (string, error) {
	var candidates []string
	if home := os.Getenv("JAVA_HOME"); home != "" {
		candidates = append(candidates, filepath.Join(home, "bin", "java"))
	}
	if path, err := exec.LookPath("java"); err == nil {
		candidates = append(candidates, path)
	}
	installed, _ := filepath.Glob("/usr/lib/jvm/*/bin/java")
	newest := 0
	for _, path := range append(candidates, installed...) {
		said, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
		if err != nil {
			continue
		}
		found := javaVersion.FindSubmatch(said)
		if found == nil {
			continue
		}
		version, err := strconv.Atoi(string(found[1]))
		if err == nil && version >= atLeast {
			return path, nil
		}
		newest = max(newest, version)
	}
	if newest == 0 {
		return "", fmt.Errorf("%s needs Java %d or newer, and there is none: install one, or set JAVA_HOME", wants,
			atLeast)
	}
	return "", fmt.Errorf("%s needs Java %d or newer, and the newest here is %d: install one in /usr/lib/jvm, "+
		"or set JAVA_HOME", wants, atLeast, newest)
}
