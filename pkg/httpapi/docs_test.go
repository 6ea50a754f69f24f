package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Everything that the page names, and everything that its style sheet names, must come from this server.
func TestDocsWorkOffline(t *testing.T) {
	server := newShop(t, io.Discard)
	page := send(t, server, "GET", "/docs", "", nil)
	if page.status != http.StatusOK || !strings.Contains(page.body, "/openapi.json") {
		t.Fatalf("got %d %s", page.status, page.body)
	}
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	assets := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.body, -1)
	if len(assets) != 5 {
		t.Errorf("%d assets: %v", len(assets), assets)
	}
	for _, asset := range assets {
		if !strings.HasPrefix(asset[1], "/docs/") {
			t.Errorf("%s comes from elsewhere", asset[1])
			continue
		}
		got := send(t, server, "GET", asset[1], "", nil)
		if got.status != http.StatusOK || got.body == "" {
			t.Errorf("%s: %d, %d bytes", asset[1], got.status, len(got.body))
		}
		if !strings.HasSuffix(asset[1], ".css") {
			continue
		}
		for _, url := range regexp.MustCompile(`url\(["']?([^)"']{0,40})`).FindAllStringSubmatch(got.body, -1) {
			if !strings.HasPrefix(url[1], "data:") {
				t.Errorf("the style sheet loads %s", url[1])
			}
		}
	}
}

func TestOpenAPIDescribesTheHandlersAndTheirProblems(t *testing.T) {
	got := send(t, newShop(t, io.Discard), "GET", "/openapi.json", "", nil)
	var document struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(got.body), &document); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") || document.Paths["/v1/orders"]["post"] == nil {
		t.Errorf("got %s", got.body)
	}
	for _, want := range []string{"type", "title", "status", "detail", "errors"} {
		if document.Components.Schemas["Problem"].Properties[want] == nil {
			t.Errorf("the schema of a problem lacks %s", want)
		}
	}
	for _, want := range []string{`"application/problem+json"`, `"Idempotency-Key"`, `"wait"`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the document lacks %s", want)
		}
	}
	if strings.Contains(got.body, "$schema") {
		t.Error("bodies have a $schema")
	}
}
