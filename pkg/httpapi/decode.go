package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The limits of a body. They bound what a hostile one can cost before its schema is looked at.
const (
	MaxBody    = 1 << 20 // bytes
	MaxDepth   = 32      // objects and arrays within one another
	MaxMembers = 1_000   // elements of one array, members of one object
	maxTokens  = 20_000  // of the whole body
)

// JSON returns the format of every body. Reading, it takes one JSON value in valid UTF-8 without NUL, with no member
// twice, none unknown, and names in the exact case; whole numbers must be written as such ("1", not "1.0" or "1e0").
// Writing, a nil slice is [] and a nil map {}; leave fields out with omitzero, for omitempty keeps zeros.
func JSON() huma.Format { return huma.Format{Marshal: encode, Unmarshal: Decode} }

// Decode reads data into v, which is a pointer. An error's text is for huma alone, see decodeError.
func Decode(data []byte, v any) error {
	if err := inspect(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return semantic(err)
	}
	return nil
}

// encode writes v in one piece. A write that fails is no error: the caller is gone, and huma would panic.
func encode(w io.Writer, v any) error {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	_, _ = w.Write(append(data, '\n'))
	return nil
}

// decodeError says which field of a body cannot be read and why. huma keeps only its text, so the text carries both
// and asDecodeError takes it apart again.
type decodeError struct {
	field string
	code  FieldCode
}

const decodeMark = "httpapi.decode:"

func (e *decodeError) Error() string { return decodeMark + string(e.code) + ":" + e.field }

func asDecodeError(text string) (Field, bool) {
	rest, ok := strings.CutPrefix(text, decodeMark)
	if !ok {
		return Field{}, false
	}
	code, field, _ := strings.Cut(rest, ":")
	return NewField(field, FieldCode(code), ""), true
}

// inspect reads the tokens of data without building anything, in a loop rather than by recursion.
func inspect(data []byte) error {
	if !utf8.Valid(data) {
		return &decodeError{"body", FieldCharacters}
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	refuse := func(at jsontext.Pointer, code FieldCode) error {
		return &decodeError{pointerName(at.Tokens()), code}
	}
	// A NUL can only be written as \u0000: a bare one is a syntax error.
	mayHoldNUL := bytes.Contains(data, []byte(`u0000`))

	for n := 0; ; n++ {
		token, err := dec.ReadToken()
		if err != nil {
			return syntactic(err)
		}
		if n == maxTokens {
			return refuse(dec.StackPointer(), FieldMany)
		}
		if dec.StackDepth() > MaxDepth {
			return refuse(dec.StackPointer(), FieldDepth)
		}
		parent, length := dec.StackIndex(dec.StackDepth())
		if parent == '{' && length > 2*MaxMembers || parent == '[' && length > MaxMembers {
			return refuse(dec.StackPointer().Parent(), FieldMany)
		}
		if token.Kind() == '"' {
			isName := parent == '{' && length%2 == 1
			if isName && !plainName(token.String()) {
				return refuse(dec.StackPointer().Parent(), FieldUnknown)
			}
			if mayHoldNUL && strings.Contains(token.String(), "\x00") {
				return refuse(dec.StackPointer(), FieldCharacters)
			}
		}
		if dec.StackDepth() == 0 { // the value is complete
			break
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &decodeError{"body", FieldSyntax}
	}
	return nil
}

// syntactic says where JSON breaks the grammar.
func syntactic(err error) error {
	at, code := jsontext.Pointer(""), FieldSyntax
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = syntax.JSONPointer
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		code = FieldDuplicate
	}
	return &decodeError{pointerName(at.Tokens()), code}
}

// semantic says which value does not fit its field.
func semantic(err error) error {
	mismatch, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return syntactic(err)
	}
	code := FieldType
	switch {
	case errors.Is(err, json.ErrUnknownName):
		code = FieldUnknown
	case errors.Is(err, strconv.ErrRange):
		code = FieldLarge
	}
	return &decodeError{pointerName(mismatch.JSONPointer.Tokens()), code}
}
