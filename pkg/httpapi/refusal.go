package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// adoptProblems makes huma refuse requests with a *Problem. It offers no other way than its package variables, so this
// is the one global state of the platform, set once for all APIs of a process and never changed.
var adoptProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return refusal(context.Background(), status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return refusal(ctx.Context(), status, errs)
	}
	huma.ValidateStrictCasing = true  // or "SKU" would pass for "sku"
	huma.DefaultArrayNullable = false // or null would pass for a list, whatever its minItems
})

// refusal turns what huma says into a problem. Of huma's words it uses none.
func refusal(ctx context.Context, status int, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		return fault(ctx, status, errors.Join(errs...))
	}
	if status == http.StatusBadRequest && len(errs) == 0 { // the body is required and was empty
		return NewProblem(Malformed, "", NewField("body", FieldRequired, ""))
	}

	var fields []Field
	for _, err := range errs {
		if problem, ok := errors.AsType[*Problem](err); ok && problem.Status != http.StatusUnprocessableEntity {
			return problem
		}
		fields = append(fields, refusedFields(err)...)
	}

	code, known := codeOf(status)
	switch {
	case !known:
		return &Problem{Type: "about:blank", Title: unclassifiedTitle, Status: status}
	case code == Malformed && !unreadable(fields):
		return NewProblem(Validation, "", fields...)
	case code == Malformed || code == Validation:
		return NewProblem(code, "", fields...)
	default: // the fields would only repeat what was sent, such as a content type
		return NewProblem(code, "")
	}
}

// fault answers what is not the caller's doing, or the caller's body that could not be read: huma calls both a 500.
func fault(ctx context.Context, status int, cause error) *Problem {
	if problem, ok := errors.AsType[*Problem](cause); ok {
		return problem
	}
	if _, done := errors.AsType[unread](cause); done {
		requestOf(ctx).logger.ErrorContext(ctx, "request was done and its outcome cannot be read", "error", cause)
		return NewProblem(Internal, "It is done, but could not be read back: do not send it again.")
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // ours: see correlate
		return Unavailable(time.Second)
	}
	if ctx.Err() == nil { // else the caller is gone, and whatever failed may have failed for that
		requestOf(ctx).logger.ErrorContext(ctx, "request failed", "error", cause, "status", status)
	}
	if code, ok := codeOf(status); ok {
		return NewProblem(code, "")
	}
	return NewProblem(Internal, "")
}

// unreadable reports whether a field at fault makes the body no JSON of ours, rather than one with wrong values.
func unreadable(fields []Field) bool {
	for _, field := range fields {
		switch field.Code {
		case FieldSyntax, FieldDuplicate, FieldDepth, FieldCharacters:
			return true
		}
	}
	return false
}

// refusedFields says which fields an error of a resolver or of huma's validation is about.
func refusedFields(err error) []Field {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Errors
	}
	if field, ok := errors.AsType[Field](err); ok {
		return []Field{field}
	}
	if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
		return []Field{refusedField(detail)}
	}
	return []Field{NewField("body", FieldInvalid, "")}
}

// refusedField translates one of huma's details. Its value is dropped.
func refusedField(detail *huma.ErrorDetail) Field {
	if field, ok := asDecodeError(detail.Message); ok {
		return field
	}
	location := detail.Location
	for _, rule := range rules() {
		rest, ok := strings.CutPrefix(detail.Message, rule.prefix)
		if !ok {
			continue
		}
		argument := strings.TrimSuffix(rest, rule.suffix)
		if rule.code == FieldRequired && argument != "" { // huma names the object, and the field in its words
			location += "." + argument
		}
		message := rule.words
		if strings.Contains(message, "%s") {
			message = fmt.Sprintf(message, argument)
		}
		return NewField(fieldName(location), rule.code, message)
	}
	return NewField(fieldName(location), FieldInvalid, "")
}

// rule says what one of huma's messages means here. Words may hold one %s, for the part between prefix and suffix,
// which comes from the schema. Where huma puts the caller's value there instead, the words have none.
type rule struct {
	prefix, suffix string
	code           FieldCode
	words          string
}

// rules is matched in order: a prefix stands after the longer ones that it begins.
var rules = sync.OnceValue(func() []rule {
	of := func(format string, code FieldCode, words string) rule {
		prefix, suffix, _ := strings.Cut(format, "%")
		if suffix != "" {
			suffix = suffix[1:] // the verb's letter
		}
		return rule{prefix, suffix, code, words}
	}
	return []rule{
		of(validation.MsgUnexpectedProperty, FieldUnknown, ""),
		of("unknown query parameter", FieldUnknown, ""),
		{"expected required property ", " to be present", FieldRequired, ""},
		{"required path parameter is missing", "", FieldRequired, ""},
		{"required query parameter is missing", "", FieldRequired, ""},
		{"required header parameter is missing", "", FieldRequired, ""},
		of(validation.MsgExpectedMinimumNumber, FieldSmall, "must be at least %s"),
		of(validation.MsgExpectedExclusiveMinimumNumber, FieldSmall, "must be over %s"),
		of(validation.MsgExpectedMaximumNumber, FieldLarge, "must be at most %s"),
		of(validation.MsgExpectedExclusiveMaximumNumber, FieldLarge, "must be under %s"),
		of(validation.MsgExpectedMinLength, FieldShort, "must have a length of at least %s"),
		of(validation.MsgExpectedMaxLength, FieldLong, "must have a length of at most %s"),
		of(validation.MsgExpectedMinItems, FieldFew, "must have a length of at least %s"),
		of(validation.MsgExpectedMaxItems, FieldMany, "must have a length of at most %s"),
		of(validation.MsgExpectedMinProperties, FieldFew, ""),
		of(validation.MsgExpectedMaxProperties, FieldMany, ""),
		of(validation.MsgExpectedArrayItemsUnique, FieldDuplicate, "must not repeat an element"),
		{`expected value to be one of "`, `"`, FieldChoice, "must be one of: %s"},
		of(validation.MsgExpectedInteger, FieldType, "must be a whole number"),
		of("invalid integer", FieldType, "must be a whole number"),
		of(validation.MsgExpectedNumberBeMultipleOf, FieldInvalid, "must be a multiple of %s"),
		of(validation.MsgExpectedNumber, FieldType, "must be a number"),
		of("invalid float", FieldType, "must be a number"),
		of(validation.MsgExpectedBoolean, FieldType, "must be true or false"),
		of("invalid boolean", FieldType, "must be true or false"),
		of(validation.MsgExpectedObject, FieldType, "must be an object"),
		of(validation.MsgExpectedArray, FieldType, "must be a list"),
		of(validation.MsgExpectedRFC3339DateTime, FieldFormat, "must be a time such as 2006-01-02T15:04:05Z"),
		of("invalid date/time", FieldFormat, "must be a time such as 2006-01-02T15:04:05Z"),
		of(validation.MsgExpectedRFC4122UUID, FieldFormat, "must be a UUID"),
		of(validation.MsgExpectedRFC5322Email, FieldFormat, emailWords),
		of(validation.MsgExpectedDuration, FieldFormat, "must be a duration such as 5s"),
		{"expected string to ", "", FieldFormat, ""}, // any other format or pattern
		of(validation.MsgExpectedString, FieldType, "must be a string"),
		of("invalid value", FieldFormat, ""),
	}
})
