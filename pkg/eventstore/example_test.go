package eventstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// What a service does in its transaction: load, decide, append, and keep a snapshot if one is due.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "eventstore")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	db, err := sqldb.Open(ctx, "sqlite://"+filepath.ToSlash(filepath.Join(folder, "accounts.db")))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if err := sqldb.Migrate(ctx, db, tables, "accounts"); err != nil {
		fmt.Println(err)
		return
	}
	store := open(1)
	deposit := func(tx *sqldb.Tx) error {
		found, err := store.Load(ctx, tx, []string{"ada"})
		if err != nil {
			return err
		}
		stream := eventstore.Stream[*account]{ID: "ada"}
		if len(found) > 0 {
			stream = found[0]
		}
		e := eventstore.Event{Stream: "ada", Version: stream.Version + 1, Type: "Moved", Data: `{"Amount":5}`, At: noon}
		if stream.State, err = apply(1)(stream.State, e); err != nil {
			return err
		}
		stream.Version, stream.At = e.Version, e.At
		if err := store.Append(ctx, tx, []eventstore.Record{{Event: e, ID: fmt.Sprint("event ", e.Version)}}); err != nil {
			return err
		}
		fmt.Println("version", stream.Version, "balance", stream.State.Balance, "from snapshot", stream.Snapshot)
		return store.Snapshot(ctx, tx, []eventstore.Stream[*account]{stream}, 2)
	}
	for range 3 {
		if err := db.Tx(ctx, deposit); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// version 1 balance 5 from snapshot 0
	// version 2 balance 20 from snapshot 0
	// version 3 balance 65 from snapshot 2
}
