package git_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/test/internal/git"
)

func TestOnlyTheVariablesOfGitAreLeftOut(t *testing.T) {
	t.Setenv("GIT_DIR", t.TempDir())
	t.Setenv("GIT_INDEX_FILE", "index")
	t.Setenv("GITHUB_ACTIONS", "true")
	for _, env := range [][]string{git.Environ(), git.Command(".", "status").Env} {
		if !slices.Contains(env, "GITHUB_ACTIONS=true") {
			t.Error("GITHUB_ACTIONS is lost")
		}
		if i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, "GIT_") }); i >= 0 {
			t.Errorf("%s is left", env[i])
		}
	}
}

func TestAFolderIsAskedForItsOwnRepository(t *testing.T) {
	folder, theirs := t.TempDir(), t.TempDir()
	for _, f := range []string{folder, theirs} {
		if out, err := git.Command(f, "init", "-q").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	t.Setenv("GIT_DIR", theirs+"/.git")
	out, err := git.Command(folder, "rev-parse", "--git-dir").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != ".git" {
		t.Errorf("the repository is %q (%v)", got, err)
	}
}
