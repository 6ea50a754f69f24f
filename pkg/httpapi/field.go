package httpapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Field says what is wrong with one field of a request. It is an error, so that a huma.Resolver can return it.
type Field struct {
	Field   string    `json:"field" doc:"Path in the body, or a parameter's name" example:"lines[1].quantity"`
	Code    FieldCode `json:"code" doc:"What is wrong with it, stable" example:"too_small"`
	Message string    `json:"message" doc:"The same in words" example:"must be at least 1"`
}

// FieldCode says what is wrong with a field. Codes never change their meaning.
type FieldCode string

// What can be wrong with a field. Services may add codes of their own, in snake_case, with their own words.
const (
	FieldRequired   FieldCode = "required"
	FieldUnknown    FieldCode = "unknown_field"
	FieldDuplicate  FieldCode = "duplicate"
	FieldType       FieldCode = "wrong_type"
	FieldFormat     FieldCode = "bad_format"
	FieldSmall      FieldCode = "too_small"
	FieldLarge      FieldCode = "too_large"
	FieldShort      FieldCode = "too_short"
	FieldLong       FieldCode = "too_long"
	FieldFew        FieldCode = "too_few"
	FieldMany       FieldCode = "too_many"
	FieldChoice     FieldCode = "not_allowed"
	FieldCharacters FieldCode = "bad_characters"
	FieldDepth      FieldCode = "too_deep"
	FieldSyntax     FieldCode = "bad_syntax"
	FieldMissing    FieldCode = "not_found" // it names something that does not exist, such as an unknown sku
	FieldReused     FieldCode = "reused"
	FieldInvalid    FieldCode = "invalid"
)

// words holds what a code says when nothing more exact is known.
var words = map[FieldCode]string{
	FieldRequired:   "is required",
	FieldUnknown:    "is not known here",
	FieldDuplicate:  "is given twice",
	FieldType:       "has the wrong type",
	FieldFormat:     "has the wrong format",
	FieldSmall:      "is too small",
	FieldLarge:      "is too large",
	FieldShort:      "is too short",
	FieldLong:       "is too long",
	FieldFew:        "has too few elements",
	FieldMany:       "has too many elements",
	FieldChoice:     "is not one of the allowed values",
	FieldCharacters: "holds characters that are not allowed",
	FieldDepth:      "is nested too deeply",
	FieldSyntax:     "is not well-formed",
	FieldMissing:    "does not exist",
	FieldReused:     "was used for another request",
	FieldInvalid:    "is not valid",
}

const (
	maxErrors = 20  // fields shown in one problem
	maxName   = 64  // bytes of a member's or parameter's name
	maxPath   = 256 // bytes of a field's path
)

// NewField returns what is wrong with a field. An empty message stands for the usual words of the code.
func NewField(field string, code FieldCode, message string) Field {
	if message == "" {
		message = words[code]
	}
	if message == "" {
		message = words[FieldInvalid]
	}
	return Field{Field: field, Code: code, Message: message}
}

// At returns what is wrong with the field that a huma.ResolverWithPath stands at.
func At(path *huma.PathBuffer, code FieldCode, message string) error {
	return NewField(fieldName(path.String()), code, message)
}

// Error returns name and message.
func (f Field) Error() string { return f.Field + " " + f.Message }

// first returns one error a field, the one found first, and not more than a problem shows.
func first(fields []Field) []Field {
	var kept []Field
	for _, field := range fields {
		same := func(other Field) bool { return other.Field == field.Field }
		if len(kept) == maxErrors {
			break
		}
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, field)
		}
	}
	return kept
}

// fieldName turns huma's location, such as "body.lines[1].sku" or "query.limit", into the name that callers know. A
// name that no field of an API can have was made up by the caller and is not repeated: the place it stood at is named.
func fieldName(location string) string {
	place, name, found := strings.Cut(location, ".")
	if !found || name == "" {
		return location
	}
	if len(name) > maxPath {
		return place
	}
	for part := range strings.SplitSeq(name, ".") {
		base, _, _ := strings.Cut(part, "[")
		if base != "" && !plainName(base) {
			return place
		}
	}
	return name
}

// plainName reports whether a name can be that of a field: ASCII letters, digits, hyphen and underscore. Header names
// are of this form too.
func plainName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// pointerName turns a JSON Pointer (RFC 6901) into the name that callers know, such as "lines[1].sku". It ends before
// the first name that no field can have. The whole body is named "body".
func pointerName(tokens func(func(string) bool)) string {
	var b strings.Builder
	for token := range tokens {
		if !plainName(token) || b.Len()+len(token) > maxPath {
			break
		}
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}
