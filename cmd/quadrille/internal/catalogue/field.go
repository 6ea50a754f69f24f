package catalogue

import (
	"encoding/json"
	"fmt"
	"strings"
)

// field of an event, or of a record within it.
type field struct {
	// Path is its name after those of the fields around it, such as lines.sku.
	Path string `json:"path"`
	// Type in words.
	Type string `json:"type"`
	Doc  string `json:"doc"`
	// PII says that it holds personal data.
	PII bool `json:"pii"`
	// Default is absent if there is none.
	Default json.RawMessage `json:"default,omitempty"`
	// Since is the first version that has it, 0 if none has yet.
	Since int `json:"since"`
}

// record is an Avro record as its JSON says.
type record struct {
	Doc    string
	Fields []struct {
		Name    string
		Type    kind
		Doc     string
		PII     bool
		Default json.RawMessage
	}
}

func parse(schema string) (record, error) {
	var r record
	err := json.Unmarshal([]byte(schema), &r)
	return r, err
}

// fields of the record and, after each that holds records, theirs.
func (r record) fields(above string) []field {
	var all []field
	for _, f := range r.Fields {
		path := above + f.Name
		all = append(all, field{Path: path, Type: f.Type.words, Doc: f.Doc, PII: f.PII, Default: f.Default})
		if f.Type.inner != nil {
			all = append(all, f.Type.inner.fields(path+".")...)
		}
	}
	return all
}

// kind is an Avro type: a name, a list of alternatives, or an object.
type kind struct {
	words string
	inner *record // that it is, or holds
}

// UnmarshalJSON reads any of the three forms.
func (k *kind) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, &k.words)
	case '[':
		var alternatives []kind
		if err := json.Unmarshal(data, &alternatives); err != nil {
			return err
		}
		var words []string
		for _, a := range alternatives {
			words = append(words, a.words)
			if a.inner != nil {
				k.inner = a.inner
			}
		}
		k.words = strings.Join(words, " or ")
		return nil
	}
	var object struct {
		Type, Name, LogicalType string
		Symbols                 []string
		Items, Values           kind
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	switch object.Type {
	case "record":
		k.words, k.inner = object.Name, &record{}
		return json.Unmarshal(data, k.inner)
	case "enum":
		k.words = fmt.Sprintf("%s: %s", object.Name, strings.Join(object.Symbols, ", "))
	case "array":
		k.words, k.inner = "list of "+object.Items.words, object.Items.inner
	case "map":
		k.words, k.inner = "map of "+object.Values.words, object.Values.inner
	default:
		k.words = object.Type
		if object.LogicalType != "" {
			k.words = object.LogicalType
		}
	}
	return nil
}
