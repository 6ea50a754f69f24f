package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// startServices runs services in this process, with a world of their own around them.
func startServices(t *testing.T, names ...string) (data string, addrs addresses) {
	t.Helper()
	data = t.TempDir()
	addrs, err := freeAddresses()
	if err != nil {
		t.Fatal(err)
	}
	world, err := startWorld(data, addrs, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := apply(t.Context(), []string{addrs.Kafka}, world.registryURL); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		e, err := find(name)
		if err != nil {
			t.Fatal(err)
		}
		env := upCommand{Data: data}.environment(e, addrs, world)
		env["QUADRILLE_LOG_LEVEL"] = "error"
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- runService(ctx, name, loadFrom(env)) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	return data, addrs
}

// ready waits for a service.
func ready(t *testing.T, addrs addresses, name string) {
	t.Helper()
	err := patience{io.Discard}.until(t.Context(), name, func() error { return get(t.Context(), addrs.Admin[name], "/readyz", nil) })
	if err != nil {
		t.Fatal(err)
	}
}

// flaky stands before a service. It lets some writes through, refuses the next, and then lets all through again.
type flaky struct {
	http.Handler
	through, refuse atomic.Int64
}

func (f *flaky) after(writes int64) {
	f.through.Store(writes)
	f.refuse.Store(1)
}

func (f *flaky) hasRefused() bool { return f.refuse.Load() < 1 }

func newFlaky(t *testing.T, addr string) (f *flaky, front string) {
	t.Helper()
	f = &flaky{Handler: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, strings.TrimPrefix(server.URL, "http://")
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && f.through.Add(-1) < 0 && f.refuse.Add(-1) >= 0 {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	f.Handler.ServeHTTP(w, r)
}

// stockLevels are the units of each product that can be reserved.
func stockLevels(t *testing.T, inventory string) map[string]int64 {
	t.Helper()
	skus, err := products(t.Context(), inventory)
	if err != nil {
		t.Fatal(err)
	}
	levels := make(map[string]int64)
	for _, sku := range skus {
		var product struct {
			Available int64 `json:"available"`
		}
		if err := get(t.Context(), inventory, "/v1/products/"+sku, &product); err != nil {
			t.Fatal(err)
		}
		levels[sku] = product.Available
	}
	return levels
}

var full = map[string]int64{"tea-001": 10_000, "cup-001": 10_000, "pot-001": 10_000, "cake-001": 1}

func TestSamplesCutShortAreCompletedByALaterStart(t *testing.T) {
	data, addrs := startServices(t, "inventory")
	ready(t, addrs, "inventory")
	inventory, unfinished := addrs.Services["inventory"], filepath.Join(data, "samples.unfinished")
	proxy, front := newFlaky(t, inventory)
	for _, cut := range []struct {
		writes int64
		want   map[string]int64
	}{
		{0, map[string]int64{}},
		{1, map[string]int64{"tea-001": 0}}, // between a product and its restock
		{4, map[string]int64{"tea-001": 10_000, "cup-001": 10_000}},
		{7, map[string]int64{"tea-001": 10_000, "cup-001": 10_000, "pot-001": 10_000, "cake-001": 0}},
	} {
		proxy.after(cut.writes)
		if _, err := stockOnce(t.Context(), unfinished, front); err == nil {
			t.Fatalf("no error though only %d writes got through", cut.writes)
		}
		if diff := cmp.Diff(cut.want, stockLevels(t, inventory)); diff != "" {
			t.Fatalf("after %d writes (-want +got):\n%s", cut.writes, diff)
		}
	}

	stocked, err := stockOnce(t.Context(), unfinished, inventory)
	if err != nil || len(stocked) != len(samples) {
		t.Fatalf("stocked %v, %v", stocked, err)
	}
	if diff := cmp.Diff(full, stockLevels(t, inventory)); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is noted as unfinished still: %v", err)
	}

	// Now they are the owner's: a price that was changed stays.
	price := map[string]any{"name": "Tea", "price": map[string]any{"amount": 1, "currency": "EUR"}}
	if err := send(t.Context(), http.MethodPut, inventory, "/v1/products/tea-001", "", price); err != nil {
		t.Fatal(err)
	}
	proxy.after(0)
	stocked, err = stockOnce(t.Context(), unfinished, front)
	if err != nil || len(stocked) != len(samples) || proxy.hasRefused() {
		t.Errorf("samples %v, %v, something written: %t", stocked, err, proxy.hasRefused())
	}
}

func TestProductsOfTheOwnerAreLeftAlone(t *testing.T) {
	data, addrs := startServices(t, "inventory")
	ready(t, addrs, "inventory")
	inventory, unfinished := addrs.Services["inventory"], filepath.Join(data, "samples.unfinished")
	own := map[string]any{"name": "Own", "price": map[string]any{"amount": 1, "currency": "USD"}}
	for _, sku := range []string{"own-001", "tea-001"} {
		if err := send(t.Context(), http.MethodPut, inventory, "/v1/products/"+sku, "", own); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(unfinished, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	proxy, front := newFlaky(t, inventory)
	proxy.after(0)
	stocked, err := stockOnce(t.Context(), unfinished, front)
	if err != nil || !slices.Equal(stocked, []string{"tea-001"}) || proxy.hasRefused() {
		t.Errorf("samples %v, %v, something written: %t", stocked, err, proxy.hasRefused())
	}
}

func TestSettleRetriesUntilOrderListsEverySample(t *testing.T) {
	data, addrs := startServices(t, "inventory", "order")
	inventory := addrs.Services["inventory"]
	proxy, front := newFlaky(t, inventory)
	proxy.after(3)
	addrs.Services["inventory"] = front
	err := settle(t.Context(), patience{io.Discard}, data, addrs, []string{"order", "inventory"})
	if err != nil || !proxy.hasRefused() {
		t.Fatalf("error %v, a call failed: %t", err, proxy.hasRefused())
	}
	if diff := cmp.Diff(full, stockLevels(t, inventory)); diff != "" {
		t.Errorf("stock (-want +got):\n%s", diff)
	}
	listed, err := products(t.Context(), addrs.Services["order"])
	if err != nil || len(listed) != len(samples) {
		t.Errorf("order lists %v, %v", listed, err)
	}
}
