package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
)

func TestAddressesAreReadFromTextFileOrURL(t *testing.T) {
	text := `{"kafka":"127.0.0.1:1","registry":"127.0.0.1:2","gateway":"127.0.0.1:3",` +
		`"services":{"order":"127.0.0.1:4"},"admin":{"order":"127.0.0.1:5"}}`
	file := filepath.Join(t.TempDir(), "addresses.json")
	if err := os.WriteFile(file, []byte("payment is left out.\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{text, file, serve(t, text)} {
		a, err := client.ReadAddresses(t.Context(), given)
		if err != nil || a.Kafka != "127.0.0.1:1" || a.Services["order"] != "127.0.0.1:4" {
			t.Errorf("%s: %+v (%v)", given, a, err)
		}
	}
	for given, want := range map[string]string{
		"{":               "addresses in",
		`{"kafka":"x"}`:   "must be there",
		file + ".missing": "no such file",
		serve(t, "[]"):    "holds no JSON object",
	} {
		_, err := client.ReadAddresses(t.Context(), given)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", given, err, want)
		}
	}
}

// serve answers every request with text and returns where.
func serve(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
