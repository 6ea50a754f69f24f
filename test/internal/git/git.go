// Package git runs git on the repository of a folder, whatever git itself runs this program.
package git

import (
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Environ is the environment without the variables of git. A hook has GIT_DIR and GIT_INDEX_FILE, which would turn each
// git below it, wherever that runs, to the repository that is committed to.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "GIT_") })
}

// Command is `git` with args, on the repository in which folder lies.
func Command(folder string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", args...)
	cmd.Dir = folder
	cmd.Env = Environ()
	return cmd
}
