package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// schema is an Avro type as its JSON says: a name, a list of alternatives, or an object.
type schema struct {
	Type    string // of an object or a name
	Logical string
	Union   []schema
	Items   *schema
	Record  *record
	Enum    *enum
}

type record struct {
	Name      string  `json:"name"`
	Namespace string  `json:"namespace"`
	Doc       string  `json:"doc"`
	Fields    []field `json:"fields"`
}

type field struct {
	Name    string           `json:"name"`
	Type    schema           `json:"type"`
	Doc     string           `json:"doc"`
	PII     bool             `json:"pii"`
	Default *json.RawMessage `json:"default"`
}

type enum struct {
	Name    string   `json:"name"`
	Doc     string   `json:"doc"`
	Symbols []string `json:"symbols"`
	Default string   `json:"default"`
}

// UnmarshalJSON reads any of the three forms.
func (s *schema) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, &s.Type)
	case '[':
		return json.Unmarshal(data, &s.Union)
	}
	var object struct {
		Type    json.RawMessage `json:"type"`
		Logical string          `json:"logicalType"`
		Items   *schema         `json:"items"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	if err := json.Unmarshal(object.Type, &s.Type); err != nil {
		return err
	}
	s.Logical, s.Items = object.Logical, object.Items
	switch s.Type {
	case "record":
		s.Record = &record{}
		return json.Unmarshal(data, s.Record)
	case "enum":
		s.Enum = &enum{}
		return json.Unmarshal(data, s.Enum)
	}
	return nil
}

// event is a schema file.
type event struct {
	Path, Topic string
	record
}

func (e event) fullName() string { return e.Namespace + "." + e.Name }

// owner is the last part of the namespace: the service that publishes it.
func (e event) owner() string { return e.Namespace[strings.LastIndexByte(e.Namespace, '.')+1:] }

// seal is the method that only the events of an owner have.
func (e event) seal() string { return e.owner() + "Event" }

// read returns the events of all schema files, in the order of their paths.
func read(files fs.FS) ([]event, error) {
	paths, err := fs.Glob(files, "*/*.avsc")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var events []event
	for _, p := range paths {
		data, err := fs.ReadFile(files, p)
		if err != nil {
			return nil, err
		}
		var s schema
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if s.Record == nil || s.Record.Name+".avsc" != path.Base(p) {
			return nil, fmt.Errorf("%s: must hold the record of its name", p)
		}
		if s.Record.Namespace == "" {
			return nil, fmt.Errorf("%s: lacks the namespace of its owner", p)
		}
		events = append(events, event{Path: path.Join("avro", p), Topic: path.Dir(p), record: *s.Record})
	}
	return events, nil
}

// goName turns snake_case into Go's case.
func goName(name string) string {
	var out strings.Builder
	for _, word := range strings.Split(name, "_") {
		switch word {
		case "id", "sku":
			out.WriteString(strings.ToUpper(word))
		default:
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

// primitives are the Go types of those Avro types that have one of their own.
var primitives = map[string]string{"string": "string", "long": "int64", "boolean": "bool", "bytes": "[]byte"}

// goType of a schema.
func (s schema) goType() (string, error) {
	switch {
	case len(s.Union) == 2 && s.Union[0].Type == "null":
		inner, err := s.Union[1].goType()
		return "*" + inner, err
	case s.Record != nil:
		return s.Record.Name, nil
	case s.Enum != nil:
		return s.Enum.Name, nil
	case s.Type == "array":
		inner, err := s.Items.goType()
		return "[]" + inner, err
	case s.Type == "long" && s.Logical == "timestamp-micros":
		return "time.Time", nil
	case s.Logical == "":
		if t := primitives[s.Type]; t != "" {
			return t, nil
		}
	}
	return "", fmt.Errorf("no Go type for the Avro type %q %q", s.Type, s.Logical)
}

// named collects the records and enums that s defines.
func (s schema) named(visit func(schema)) {
	switch {
	case s.Record != nil:
		visit(s)
		for _, f := range s.Record.Fields {
			f.Type.named(visit)
		}
	case s.Enum != nil:
		visit(s)
	case s.Items != nil:
		s.Items.named(visit)
	}
	for _, u := range s.Union {
		u.named(visit)
	}
}
