package httpapi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// OperatorHeader names who asks for a change on an admin listener. It is written down and proves nothing.
const OperatorHeader = "Quadrille-Operator"

const maxOperator = 100 // characters

// Operated is embedded in the input of every admin operation that changes something.
type Operated struct {
	Operator Operator `header:"Quadrille-Operator" doc:"Who does it: required, 1 to 100 printable characters"`
}

// Operator is the name of a person.
type Operator string

var _ huma.ResolverWithPath = (*Operator)(nil)

// Resolve refuses a request without a name, or with one that is no line of text.
func (o *Operator) Resolve(ctx huma.Context, path *huma.PathBuffer) []error {
	sent := 0
	ctx.EachHeader(func(name, _ string) {
		if name == OperatorHeader {
			sent++
		}
	})
	refuse := func(code FieldCode, message string) []error {
		return []error{NewProblem(Malformed, "", NewField(fieldName(path.String()), code, message))}
	}
	name := string(*o)
	switch {
	case sent > 1:
		return refuse(FieldDuplicate, "")
	case strings.TrimSpace(name) == "":
		return refuse(FieldRequired, "must say who does this")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return refuse(FieldCharacters, "must be printable text")
	case utf8.RuneCountInString(name) > maxOperator:
		return refuse(FieldLong, "must have a length of at most 100")
	}
	return nil
}
