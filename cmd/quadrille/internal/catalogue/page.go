package catalogue

import (
	"fmt"
	"strings"
)

const introduction = "# Events\n\n" +
	"Who publishes what, who reads it, and what each event says. `make generate` writes this page from the\n" +
	"catalogue and the schemas in `schemas/`; `quadrille catalogue` prints the same in a terminal. A service that\n" +
	"publishes what another owns, or reads what is not granted to it here, does not start.\n\n" +
	"| event | topic | owner | read by | versions |\n|---|---|---|---|---|\n"

// page is docs/events.md.
func page(topics []topic) string {
	var w strings.Builder
	w.WriteString(introduction)
	for _, t := range topics {
		for _, e := range t.Events {
			fmt.Fprintf(&w, "| [%s](#%s) | %s | %s | %s | %d |\n", e.Name, strings.ToLower(e.Name), t.Name, t.Owner,
				list(e.Consumers), e.Versions)
		}
	}
	for _, t := range topics {
		fmt.Fprintf(&w, "\n## %s\n\n%s\n\n", t.Name, t.Description)
		fmt.Fprintf(&w, "Owner %s; key: %s; %d partitions; kept: %s.\n", t.Owner, t.Key, t.Partitions, t.Kept)
		for _, e := range t.Events {
			w.WriteString("\n" + section(e))
		}
	}
	return w.String()
}

func section(e event) string {
	var w strings.Builder
	fmt.Fprintf(&w, "### %s\n\n%s\n\nRead by %s.", e.Name, e.Description, list(e.Consumers))
	w.WriteString("\n\n| field | type | since | what it says |\n|---|---|---|---|\n")
	for _, f := range e.Fields {
		says := f.Doc
		if f.PII {
			says += " **Personal data.**"
		}
		fmt.Fprintf(&w, "| `%s` | %s | %s | %s |\n", f.Path, f.Type, since(f), strings.ReplaceAll(says, "|", `\|`))
	}
	return w.String()
}
