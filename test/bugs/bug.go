package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// bug is a patch that breaks a guarantee on purpose. Its file begins with lines like those of a mail, then comes an
// empty line, then the diff.
type bug struct {
	name string // of the file, without .patch
	file string

	// breaks is the guarantee, such as G2, and mistake how real projects come to break it.
	breaks, mistake string
	// pkg and run say which test must catch it: a folder below the root, and the pattern for `go test -run`.
	pkg, run string
	// says is what the failing test prints. It begins with the guarantee.
	says string
}

var guarantee = regexp.MustCompile(`^G([1-9]|10|11)$`)

// readAll reads every bug of a folder, in the order of their names.
func readAll(folder string) (bugs []bug, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.patch"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		b, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		bugs = append(bugs, b)
	}
	if len(bugs) == 0 {
		return nil, fmt.Errorf("no patch in %s", folder)
	}
	return bugs, nil
}

func read(file string) (bug, error) {
	f, err := os.Open(file)
	if err != nil {
		return bug{}, err
	}
	defer f.Close()
	head, err := textproto.NewReader(bufio.NewReader(f)).ReadMIMEHeader()
	if err != nil {
		return bug{}, fmt.Errorf("its head: %w", err)
	}
	b := bug{
		name: strings.TrimSuffix(filepath.Base(file), ".patch"), file: file,
		breaks: head.Get("Breaks"), mistake: head.Get("Mistake"), pkg: head.Get("Package"), run: head.Get("Run"),
		says: head.Get("Says"),
	}
	switch {
	case !guarantee.MatchString(b.breaks):
		return b, fmt.Errorf("breaks %q, which is no guarantee", b.breaks)
	case b.mistake == "" || b.pkg == "" || b.run == "":
		return b, errors.New("needs Breaks, Mistake, Package, Run and Says")
	case !strings.HasPrefix(b.says, b.breaks+": "):
		return b, fmt.Errorf("says %q, which does not begin with the guarantee %s", b.says, b.breaks)
	}
	return b, nil
}
