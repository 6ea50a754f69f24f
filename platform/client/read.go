package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// ReadAddresses takes addresses as `quadrille up --json` prints them: the text itself, the URL or the file that has it.
// What else `up` printed before them is passed over.
func ReadAddresses(ctx context.Context, given string) (a Addresses, err error) {
	text := given
	switch {
	case strings.HasPrefix(strings.TrimSpace(given), "{"):
	case strings.HasPrefix(given, "http://") || strings.HasPrefix(given, "https://"):
		var fetched json.RawMessage
		if _, err := New(a).Call(ctx, http.MethodGet, given, nil, &fetched); err != nil {
			return a, fmt.Errorf("addresses: %w", err)
		}
		text = string(fetched)
	default:
		data, err := os.ReadFile(given)
		if err != nil {
			return a, fmt.Errorf("addresses: %w", err)
		}
		text = string(data)
	}
	start := strings.Index(text, "{")
	if start < 0 {
		return a, fmt.Errorf("addresses: %q holds no JSON object", given)
	}
	if err := json.Unmarshal([]byte(text[start:]), &a); err != nil {
		return a, fmt.Errorf("addresses in %q: %w", given, err)
	}
	if a.Kafka == "" || a.Registry == "" || a.Gateway == "" || len(a.Services) == 0 || len(a.Admin) == 0 {
		return a, fmt.Errorf("addresses in %q: kafka, registry, gateway, services and admin must be there, "+
			"as quadrille up --json prints them", given)
	}
	return a, nil
}
