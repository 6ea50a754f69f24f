// Command rename makes a copy of the platform a company's own: it gives the modules another path and everything that
// carries the platform's name another one. `make rename` runs it; docs/adopting.md says what changes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/quadrille-platform/quadrille/test/internal/git"
)

const (
	oldModule = "github.com/quadrille-platform/quadrille"
	oldName   = "quadrille"
	// notice is the file that says where the copy comes from, as the license asks.
	notice = "NOTICE"
)

var (
	errDirty   = errors.New("there are changes that are not committed; commit them first, or set FORCE=1")
	errRenamed = errors.New("this is a renamed copy, see " + notice + "; rename a fresh clone instead")
)

func main() {
	module := flag.String("module", "", "path of the modules, such as example.com/acme/shop")
	name := flag.String("name", "", "the name, such as shop")
	force := flag.Bool("force", false, "also with changes that are not committed")
	flag.Parse()
	if err := rename(".", *module, *name, *force, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

// rename rewrites the tree below root and says what it did.
func rename(root, module, name string, force bool, to io.Writer) error {
	if err := checkModule(module); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, notice)); err == nil {
		return errRenamed
	}
	if !force {
		changes, err := ask(root, "status", "--porcelain")
		if err != nil {
			return err
		}
		if changes != "" {
			return errDirty
		}
	}
	listed, err := ask(root, "ls-files", "-co", "--exclude-standard", "-z")
	if err != nil {
		return err
	}
	t := &tree{root: root, files: strings.FieldsFunc(listed, func(r rune) bool { return r == 0 })}
	if err := t.checkFree(name); err != nil {
		return err
	}
	if err := t.rewrite(words(module, name)); err != nil {
		return err
	}
	if err := t.move(name); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, notice), []byte(origin), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(to, `%d files rewritten, %d moved:
  modules      %s/…
  program      bin/%s, cmd/%s
  variables    %s_…
  metrics      %s_…
  events       source /%s/<service>, Avro namespace %s.<topic>
Kept: LICENSE. Written: %s, which says where the copy comes from.
By hand: SECURITY.md (who gets a report), CHANGELOG.md, the name of the repository.
Next: make test
`, t.rewritten, t.moved, module, name, name, strings.ToUpper(name), name, name, name, notice)
	return nil
}

// origin of a copy.
const origin = "This began as a copy of Quadrille (" + oldModule + "), which is under the Apache License 2.0.\n" +
	"Its files were changed by `make rename`, and perhaps since.\n"

// ask returns what git says of the tree below root.
func ask(root string, args ...string) (string, error) {
	out, err := git.Command(root, args...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s, which lists the files to rename: %w", args[0], err)
	}
	return string(out), nil
}
