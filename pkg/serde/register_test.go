package serde_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func TestRegisterMayBeRepeated(t *testing.T) {
	registry, client := start(t)
	types := []serde.Type{purchaseType}
	for range 2 {
		if err := serde.Register(t.Context(), client, types); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := registry.GetSchema(purchaseType.Subject(), 1); !ok {
		t.Error("there is no version 1")
	}
	if _, ok := registry.GetSchema(purchaseType.Subject(), 2); ok {
		t.Error("there is a version 2")
	}
	for _, got := range client.Compatibility(t.Context(), purchaseType.Subject()) {
		if got.Err != nil || got.Level != sr.CompatFullTransitive {
			t.Errorf("compatibility %s, %v", got.Level, got.Err)
		}
	}
}

func TestRegisterNamesTheSubjectThatIsRefused(t *testing.T) {
	registry, client := start(t)
	registry.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error_code":409,"message":"field total: gone"}`))
		return true
	})
	err := serde.Register(t.Context(), client, []serde.Type{purchaseType})
	if !errors.Is(err, serde.ErrIncompatible) || !strings.Contains(err.Error(), purchaseType.Subject()) ||
		!strings.Contains(err.Error(), "field total: gone") {
		t.Errorf("got %v", err)
	}
}

func TestRegisterFailsIfTheRegistryIsAway(t *testing.T) {
	registry, client := start(t)
	registry.Close()
	err := serde.Register(t.Context(), client, []serde.Type{purchaseType})
	if err == nil || errors.Is(err, serde.ErrIncompatible) || !strings.Contains(err.Error(), purchaseType.Subject()) {
		t.Errorf("got %v", err)
	}
}
