package main

import (
	"fmt"
	"go/token"
	"regexp"
	"strings"
)

var (
	// A name goes into environment variables, metrics, Avro namespaces, Go identifiers and folders; all of them take
	// letters and digits alone.
	validName   = regexp.MustCompile(`^[a-z][a-z0-9]{1,29}$`)
	validModule = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9][A-Za-z0-9._~-]*)*$`)
)

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("NAME is missing, such as NAME=shop")
	case !validName.MatchString(name):
		return fmt.Errorf("NAME is %q; it is 2 to 30 small letters and digits, the first a letter, with no hyphen: it "+
			"goes into variables, metrics and namespaces", name)
	case token.IsKeyword(name):
		return fmt.Errorf("NAME is %q, a word of Go", name)
	case strings.Contains(name, oldName):
		return fmt.Errorf("NAME is %q, which holds the old one", name)
	}
	return nil
}

func checkModule(module string) error {
	switch {
	case module == "":
		return fmt.Errorf("MODULE is missing, such as MODULE=example.com/acme/shop")
	case !validModule.MatchString(module):
		return fmt.Errorf("MODULE is %q; it is a path that starts with a host, such as example.com/acme/shop", module)
	case strings.Contains(module, oldName):
		return fmt.Errorf("MODULE is %q, which holds the old name", module)
	}
	return nil
}

// words returns what is replaced by what: the path of the modules before the name that is in it.
func words(module, name string) *strings.Replacer {
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	return strings.NewReplacer(oldModule, module, oldName, name, title(oldName), title(name),
		strings.ToUpper(oldName), strings.ToUpper(name))
}
