package httpapi

import (
	"encoding/base64"
	"fmt"

	"github.com/go-json-experiment/json"
)

// The size of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

const maxCursor = 1024 // bytes, encoded

// Page is embedded in the input of every list.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many items at most"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"1024" doc:"The next_cursor of the page before; opaque"`
}

// List is the body of every list.
type List[T any] struct {
	Items []T `json:"items" doc:"This page, empty if nothing is left"`
	// NextCursor is empty on the last page.
	NextCursor string `json:"next_cursor,omitzero" doc:"Ask for the next page with it; absent on the last"`
}

// NewList returns the first limit of the items found as one page, and, if more were found, a cursor that holds what
// position says of the last one shown. So a store asks for one item more than it shows.
func NewList[T, P any](found []T, limit int, position func(T) P) (List[T], error) {
	if len(found) <= limit {
		return List[T]{Items: found}, nil
	}
	cursor, err := EncodeCursor(position(found[limit-1]))
	if err != nil {
		return List[T]{}, err
	}
	return List[T]{Items: found[:limit], NextCursor: cursor}, nil
}

// EncodeCursor makes a cursor of a position, a small struct. It is not signed: a position must grant nothing.
func EncodeCursor(position any) (string, error) {
	data, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("encode cursor: %w", err)
	}
	if n := base64.RawURLEncoding.EncodedLen(len(data)); n > maxCursor {
		return "", fmt.Errorf("encode cursor: %d bytes, over %d", n, maxCursor)
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// DecodeCursor reads a cursor into a position of the type it was made of. It returns false if there is none, which is
// the first page, and a *Problem if it is not one of ours.
func DecodeCursor(cursor string, position any) (bool, error) {
	if cursor == "" {
		return false, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err == nil && len(cursor) <= maxCursor {
		err = Decode(data, position)
	}
	if err != nil || len(cursor) > maxCursor {
		return false, Invalid("cursor", FieldInvalid, "is not a cursor of this list")
	}
	return true, nil
}
