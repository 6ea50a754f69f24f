package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// configurationCommand writes what `make generate` keeps: docs/configuration.md and .env.example.
type configurationCommand struct {
	Format string `arg:"" enum:"markdown,dotenv" help:"One of ${enum}."`
}

func (c configurationCommand) Run(context.Context) error {
	if c.Format == "dotenv" {
		return writeDotenv(os.Stdout)
	}
	return writeMarkdown(os.Stdout)
}

// flag of a command that an environment variable sets too.
type flag struct{ variable, command, fallback, help string }

// flags of all commands. They are read from the tags that the command line is parsed by.
func flags() []flag {
	var found []flag
	commands := reflect.TypeFor[cli]()
	for i := range commands.NumField() {
		field := commands.Field(i)
		found = append(found, flagsOf(strings.ToLower(field.Name), field.Type)...)
	}
	return found
}

func flagsOf(command string, t reflect.Type) []flag {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var found []flag
	for i := range t.NumField() {
		field := t.Field(i)
		if names := field.Tag.Get("env"); names != "" {
			for _, name := range strings.Split(names, ",") {
				found = append(found, flag{name, command, field.Tag.Get("default"), field.Tag.Get("help")})
			}
			continue
		}
		found = append(found, flagsOf(command, field.Type)...)
	}
	return found
}

// knownNames are the variables of all services and commands, which may share an environment.
func knownNames() []string {
	var names []string
	for _, e := range services {
		names = append(names, e.variables()...)
	}
	for _, f := range flags() {
		names = append(names, f.variable)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variables that the service reads, by name.
func (e entry) variables() []string {
	var names []string
	for _, v := range service.Variables(e.config()) {
		names = append(names, v.Name)
	}
	return names
}

// checkSet refuses what cannot be meant: a name that no service reads, unless it is plainly not one of ours.
func checkSet(set map[string]string) error {
	known := knownNames()
	if err := service.CheckNames(set, known); err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	for _, name := range keys(set) {
		if slices.Contains(known, name) {
			continue
		}
		for _, meant := range []string{name, service.Prefix + name} {
			if best, near := service.Nearest(meant, known); near && !strings.HasPrefix(name, "OTEL_") {
				return fmt.Errorf("--set: %s is not known; did you mean %s?", name, best)
			}
		}
	}
	return nil
}

// split returns the variables that every service has with the same default, and those that are a service's own.
func split(e entry) (common, own []service.Variable) {
	for _, v := range service.Variables(e.config()) {
		if v.Common && shared(v) {
			common = append(common, v)
		} else {
			own = append(own, v)
		}
	}
	return common, own
}

// shared reports whether the variable's default is the same for every service.
func shared(v service.Variable) bool {
	for _, e := range services {
		if !slices.ContainsFunc(service.Variables(e.config()), func(other service.Variable) bool {
			return other.Name == v.Name && other.Default == v.Default
		}) {
			return false
		}
	}
	return true
}

func writeDotenv(to io.Writer) error {
	var text strings.Builder
	text.WriteString(`# Written by "make generate" from the Config structs and their comments. Do not edit.
#
# Every variable stands here with its default, switched off. Take those that you change into a file for each service,
# for a variable may stand in more than one section:
#
#   set -a; . ./order.env; set +a; bin/quadrille service order
#
# docs/configuration.md says more.
`)
	section := func(title string, variables []service.Variable) {
		fmt.Fprintf(&text, "\n# === %s\n", title)
		for _, v := range variables {
			fmt.Fprintf(&text, "\n%s#%s=%s\n", wrapped(v.Doc, "# "), v.Name, quoted(v.Default))
		}
	}
	common, _ := split(services[0])
	section("every service", common)
	for _, e := range services {
		_, own := split(e)
		section(e.name, own)
	}
	_, err := io.WriteString(to, text.String())
	return err
}

// quoted is a value as a shell takes it.
func quoted(value string) string {
	if strings.ContainsAny(value, " <>$&;|*?'\"\\()#") {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

// wrapped is text in lines of at most 120 bytes, each after the margin.
func wrapped(text, margin string) string {
	var lines strings.Builder
	line := margin
	for _, word := range strings.Fields(text) {
		if line != margin && len(line)+len(word) >= 119 {
			lines.WriteString(strings.TrimRight(line, " ") + "\n")
			line = margin
		}
		line += word + " "
	}
	lines.WriteString(strings.TrimRight(line, " ") + "\n")
	return lines.String()
}
