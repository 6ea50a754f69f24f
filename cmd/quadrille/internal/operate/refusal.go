package operate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// Explain adds to the error of a call of a service what may be done about it. What the service said is [Legible].
func Explain(service string, c *client.Client, err error) error {
	refusal, refused := errors.AsType[*client.Refusal](err)
	switch {
	case err == nil:
		return nil
	case !refused:
		return fmt.Errorf("%s does not answer at %s: %w; is the platform running? --against names another", service,
			c.Admin[service], err)
	case refusal.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s asks for the token of its admin listener: --token", service)
	}
	return fmt.Errorf("%s: %s", service, said(refusal))
}

// said is what a service answered, in its own words.
func said(r *client.Refusal) string {
	var problem struct {
		Title, Detail string
		Errors        []struct{ Field, Message string }
	}
	if json.Unmarshal(r.Body, &problem) != nil || problem.Title == "" {
		return Legible(r.Error())
	}
	text := strings.TrimSuffix(cmp.Or(problem.Detail, problem.Title), ".")
	for _, e := range problem.Errors {
		text += "; " + e.Field + " " + strings.TrimSuffix(e.Message, ".")
	}
	return Legible(text)
}
