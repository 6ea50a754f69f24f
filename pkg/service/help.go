package service

import (
	"fmt"
	"io"
	"path"
	"reflect"
	"strings"
)

const helpWidth = 100

// WriteHelp writes a service's variables, their defaults and what they mean, for a terminal.
func WriteHelp(to io.Writer, cfg any) {
	fmt.Fprintf(to, "The %s service is configured by environment variables.\n", nameOf(cfg))
	for _, v := range Variables(cfg) {
		fmt.Fprintf(to, "\n  %s", v.Name)
		if v.Default != "" {
			fmt.Fprintf(to, " = %s", v.Default)
		}
		if v.Secret {
			fmt.Fprint(to, " (secret)")
		}
		fmt.Fprintf(to, "\n%s", wrapped(v.Doc, "      "))
	}
	fmt.Fprintf(to, "\nVariables of OpenTelemetry, OTEL_*, are honoured. Another that begins with %s is refused.\n",
		Prefix)
}

// nameOf a service, which is the package of its Config.
func nameOf(cfg any) string {
	return path.Base(reflect.Indirect(reflect.ValueOf(cfg)).Type().PkgPath())
}

// wrapped is text in lines of at most helpWidth, each after the margin.
func wrapped(text, margin string) string {
	var lines strings.Builder
	line := margin
	for _, word := range strings.Fields(text) {
		if line != margin && len(line)+len(word) >= helpWidth {
			lines.WriteString(line + "\n")
			line = margin
		}
		if line != margin {
			line += " "
		}
		line += word
	}
	if line != margin {
		lines.WriteString(line + "\n")
	}
	return lines.String()
}
