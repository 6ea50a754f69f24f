package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

func TestApplyMigratesTheDatabasesThatItIsTold(t *testing.T) {
	_, addrs := startServices(t)
	file := "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "payment.db"))
	parser, err := newParser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// As a container is told.
	t.Setenv("QUADRILLE_KAFKA_BROKERS", addrs.Kafka)
	t.Setenv("QUADRILLE_REGISTRY_URL", "http://"+addrs.Registry)
	t.Setenv("QUADRILLE_APPLY_DATABASES", "payment="+file)
	for range 2 { // it may be repeated
		parsed, err := parser.Parse([]string{"apply"})
		if err == nil {
			err = parsed.Run()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqldb.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only looked at
	err = db.Read(t.Context(), func(tx *sqldb.Tx) error {
		_, err := sqldb.Get[int](t.Context(), tx, "SELECT count(*) FROM payments")
		return err
	})
	if err != nil {
		t.Errorf("its tables: %v", err)
	}
}

func TestApplyNamesTheDatabaseThatItCannotMigrate(t *testing.T) {
	for name, url := range map[string]string{"payment": "sqlite:///no/such/folder/payment.db", "bakery": "sqlite:///x.db"} {
		if err := migrate(t.Context(), name, url); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHealthcheckTellsWhyNot(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = bytes.NewBufferString("the broker is away").WriteTo(w)
	}))
	defer s.Close()
	for _, c := range []healthcheckCommand{{URL: s.URL}, {Admin: strings.TrimPrefix(s.URL, "http://")}} {
		status = http.StatusOK
		if err := c.Run(t.Context()); err != nil {
			t.Error(err)
		}
		status = http.StatusServiceUnavailable
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the broker is away") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSamplesAreStockedOnce(t *testing.T) {
	_, addrs := startServices(t, "inventory", "order")
	c := stockCommand{Inventory: addrs.Services["inventory"], Order: addrs.Services["order"], Data: t.TempDir()}
	for range 2 {
		if err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	skus, err := products(t.Context(), c.Order)
	if err != nil || len(skus) != len(samples) {
		t.Errorf("order lists %v (%v)", skus, err)
	}
	var tea struct{ Available int }
	if err := get(t.Context(), c.Inventory, "/v1/products/tea-001", &tea); err != nil || tea.Available != 10_000 {
		t.Errorf("%d are available (%v)", tea.Available, err)
	}
}

func TestApplyTriesAgainWhileARegistryIsSlow(t *testing.T) {
	_, addrs := startServices(t)
	refusals := 2
	registry := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addrs.Registry})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusals > 0 {
			refusals--
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		registry.ServeHTTP(w, r)
	}))
	defer s.Close()
	c := applyCommand{Brokers: []string{addrs.Kafka}, Registry: s.URL}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--wait") || refusals != 1 {
		t.Errorf("without a wait: %v, with %d refusals to come", err, refusals)
	}
	c.Wait = time.Minute
	if err := c.Run(t.Context()); err != nil || refusals > 0 {
		t.Errorf("%v, with %d refusals to come", err, refusals)
	}
}

func TestApplySaysWhyItCannotReachTheBrokers(t *testing.T) {
	c := applyCommand{Brokers: []string{"127.0.0.1:1"}, Registry: "http://127.0.0.1:1"}
	err := c.Run(t.Context())
	for _, want := range []string{"create topic", "the brokers at [127.0.0.1:1] cannot be reached; start them", "--wait"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestApplyNamesItsWaitOnlyWhereItHelps(t *testing.T) {
	refused := fmt.Errorf("create topic: %w", kerr.SaslAuthenticationFailed)
	for name, test := range map[string]struct {
		wait time.Duration
		err  error
		want bool
	}{
		"a server is away":               {0, errors.New("connection refused"), true},
		"it has waited":                  {time.Second, errors.New("connection refused"), false},
		"a password is refused":          {0, refused, false},
		"a schema breaks what is stored": {0, serde.ErrIncompatible, false},
		"a wrong path to the registry":   {0, fmt.Errorf("register: %w", &sr.ResponseError{StatusCode: 404}), false},
		"a registry that starts":         {0, fmt.Errorf("register: %w", &sr.ResponseError{StatusCode: 503}), true},
		"it was interrupted":             {0, fmt.Errorf("register: %w", context.Canceled), false},
	} {
		if err := (applyCommand{Wait: test.wait}).cure(test.err); strings.Contains(err.Error(), "--wait") != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
