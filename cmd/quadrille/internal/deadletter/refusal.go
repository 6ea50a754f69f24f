package deadletter

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// said is what a service answered, in its own words.
func said(r *client.Refusal) string {
	var problem struct {
		Title, Detail string
		Errors        []struct{ Field, Message string }
	}
	if json.Unmarshal(r.Body, &problem) != nil || problem.Title == "" {
		return legible(r.Error())
	}
	text := problem.Title
	if problem.Detail != "" {
		text = problem.Detail
	}
	for _, e := range problem.Errors {
		text += fmt.Sprintf("; %s %s", e.Field, e.Message)
	}
	return legible(strings.TrimSuffix(text, "."))
}
