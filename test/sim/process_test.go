package sim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order"
)

// calm is a plan in which nothing happens.
func calm() Plan {
	p := Plan{Seed: 1, Length: time.Second, Replicas: make(map[string]int)}
	for _, s := range services {
		p.Replicas[s] = 1
	}
	return p
}

// inWorld runs test in a world with one process of each service, in virtual time.
func inWorld(t *testing.T, test func(t *testing.T, w *World)) {
	t.Helper()
	dir := t.TempDir()
	if err := Templates(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w, err := newWorld(ctx, t.TempDir(), dir, calm(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range services {
			w.add(s)
		}
		test(t, w)
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingOfAKilledProcessHasAnEffect kills a process and looks at what it still tries: it has no database, no
// network, and what it had begun is undone, though its own code for stopping runs.
func TestNothingOfAKilledProcessHasAnEffect(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World) {
		inc := w.anyOf(order.Name)
		db, err := sqldb.Open(w.ctx, "sqlite:"+w.database(order.Name), sqldb.WithoutFileLock(),
			sqldb.WithOutage(inc.outage))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		insert := func(ctx context.Context, tx *sqldb.Tx, sku string) error {
			_, err := tx.Exec(ctx, `INSERT INTO catalogue (sku, name, price, currency, version, withdrawn)
				VALUES ($1, $1, 1, 'EUR', 1, FALSE)`, sku)
			return err
		}
		// Until it is killed it can write.
		if err := db.Tx(w.ctx, func(tx *sqldb.Tx) error { return insert(w.ctx, tx, "before") }); err != nil {
			t.Fatal(err)
		}
		conn, err := inc.host.Dial(w.ctx, "tcp", brokerAddr)
		if err != nil {
			t.Fatal(err)
		}
		// In the middle of a transaction it is not, though the transaction goes on and its context has not ended.
		err = db.Tx(w.ctx, func(tx *sqldb.Tx) error {
			if err := insert(w.ctx, tx, "during"); err != nil {
				t.Fatal(err)
			}
			w.forget(inc)
			inc.kill()
			return nil
		})
		if !errors.Is(err, errDead) || !sqldb.IsUnavailable(err) {
			t.Errorf("the commit of the dead: %v", err)
		}
		if err := db.Tx(w.ctx, func(tx *sqldb.Tx) error { return insert(w.ctx, tx, "after") }); !errors.Is(err, errDead) {
			t.Errorf("a transaction of the dead: %v", err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the dead is still connected: %v", err)
		}
		if _, err := inc.host.Dial(w.ctx, "tcp", brokerAddr); !errors.Is(err, errCut) {
			t.Errorf("the dead connects: %v", err)
		}
		if _, err := inc.host.Listen("tcp", "127.0.0.1:9999"); !errors.Is(err, errCut) {
			t.Errorf("the dead listens: %v", err)
		}
		if _, _, err := w.call(w.ctx, inc.api, http.MethodGet, "/v1/orders", "", nil); err == nil {
			t.Error("the dead answers")
		}
		<-inc.ended // with whatever it does when it is told to stop
		if inc.err != nil && !errors.Is(inc.err, errDead) {
			t.Logf("its last words: %v", inc.err)
		}
		seen := skus(t, w)
		if len(seen) != 1 || seen[0] != "before" {
			t.Errorf("the database holds %q, want only what was committed before the kill", seen)
		}
	})
}

// skus are what order can sell, in the eyes of somebody who looks into its database.
func skus(t *testing.T, w *World) (found []string) {
	t.Helper()
	db, err := sqldb.Open(w.ctx, "sqlite:"+w.database(order.Name), sqldb.WithoutFileLock())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Read(w.ctx, func(tx *sqldb.Tx) (err error) {
		found, err = sqldb.Select[string](w.ctx, tx, `SELECT sku FROM catalogue ORDER BY sku`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAStalledProcessGoesOn holds a process back and lets it go: nothing of it is lost.
func TestAStalledProcessGoesOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World) {
		inc := w.anyOf(order.Name)
		for { // until it serves
			if status, _, _ := w.call(w.ctx, inc.admin, http.MethodGet, "/readyz", "", nil); status == http.StatusOK {
				break
			}
			time.Sleep(look)
		}
		inc.host.Stall(true)
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { inc.host.Stall(false) })
		status, _, err := w.call(w.ctx, inc.api, http.MethodGet, "/v1/orders", "", nil)
		if took := time.Since(began); err != nil || status != http.StatusOK || took < 3*time.Second {
			t.Errorf("%d after %v (%v), want 200 after 3 s", status, took, err)
		}
	})
}
