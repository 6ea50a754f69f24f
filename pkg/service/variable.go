package service

import (
	_ "embed" // the comments of Config are what -help says
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed config.go
var source string

// Source is where Variables finds the comments of Config's fields. A service's own Config has such a method too, which
// returns the file that declares it.
func (Config) Source() string { return source }

// Variable is an environment variable that a service reads.
type Variable struct {
	// Name begins with Prefix.
	Name string
	// Default is what stands for a variable that is not set; empty if that is nothing.
	Default string
	// Doc is the comment of the field that the variable fills.
	Doc string
	// Secret variables hold what no log and no screen should show.
	Secret bool
	// Common variables are those of every service.
	Common bool

	field string
}

// Variables returns what a Config, or the one pointed to, reads from the environment, in its order: the tags `env` and
// `envDefault` of its fields, `secret:"true"`, and their comments. A default without a tag is what WithDefaults sets.
func Variables(cfg any) []Variable {
	v := reflect.Indirect(reflect.ValueOf(cfg))
	if with := v.MethodByName("WithDefaults"); with.IsValid() && with.Type().NumIn() == 0 {
		v = with.Call(nil)[0]
	}
	return variablesOf(v)
}

func variablesOf(v reflect.Value) []Variable {
	t := v.Type()
	comments := commentsOf(v)
	var variables []Variable
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			variables = append(variables, variablesOf(v.Field(i))...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		if name == "" || name == "-" {
			continue
		}
		fallback, tagged := field.Tag.Lookup("envDefault")
		if !tagged && field.Type.Kind() == reflect.String {
			fallback = v.Field(i).String()
		}
		variables = append(variables, Variable{
			Name: Prefix + name, Default: fallback, Doc: description(field.Name, comments[field.Name]),
			Secret: field.Tag.Get("secret") == "true", Common: t == reflect.TypeFor[Config](), field: field.Name,
		})
	}
	return variables
}

// commentsOf the fields of a Config, by name; nil if it does not say where they are.
func commentsOf(v reflect.Value) map[string]string {
	// A service's Config without a Source of its own has the embedded one's, whose fields are others.
	sourced, ok := v.Interface().(interface{ Source() string })
	if !ok {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", sourced.Source(), parser.ParseComments)
	if err != nil || v.Type() != reflect.TypeFor[Config]() && file.Name.Name == "service" {
		return nil
	}
	comments := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != v.Type().Name() {
			return true
		}
		if fields, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					comments[name.Name] = field.Doc.Text()
				}
			}
		}
		return false
	})
	return comments
}

// onlyDefault is a sentence that says nothing beyond the default, which stands beside it.
var onlyDefault = regexp.MustCompile(`\s*Defaults to [^,;:()]*(?::[0-9/][^,; ]*)?\.(?:\s|$)`)

// description makes "Drain is how long …. Defaults to 10 s." of a field say "How long …."
func description(field, comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = strings.TrimPrefix(text, field+" ")
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	text = strings.TrimSpace(onlyDefault.ReplaceAllString(text, " "))
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
