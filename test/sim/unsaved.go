package sim

import (
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/schemas"
)

// refuseSaves has the database of a service refuse one type of event that it is to publish, as by a constraint that
// somebody has added, and take all else. It ends before the attempts of any message do: none dies of it.
func refuseSaves(w *World, f Fault) {
	db, err := w.openDatabase(f.Of)
	if err != nil {
		w.fail("open the database of %s: %v", f.Of, err)
		return
	}
	defer func() { _ = db.Close() }()
	kind := w.publishedBy(f.Of)
	name := fmt.Sprintf("refuse_%d", w.draw(1<<30))
	if !w.define(db, fmt.Sprintf(`CREATE TRIGGER %s BEFORE INSERT ON outbox
		WHEN NEW.topic = '%s.events' AND instr(NEW.headers, '%s') > 0
		BEGIN SELECT RAISE(ABORT, 'refused by the simulation for a while'); END`, name, f.Of, kind)) {
		return
	}
	w.log("the database of %s refuses %s", f.Of, kind)
	w.hit(f.Kind)
	w.sleep(f.For)
	if !w.define(db, "DROP TRIGGER "+name) {
		w.fail("the database of %s refuses %s for ever", f.Of, kind)
	}
}

// define changes a schema, once nobody else writes to the database.
func (w *World) define(db *sqldb.DB, statement string) (done bool) {
	for range 10_000 {
		err := db.Tx(w.ctx, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(w.ctx, statement)
			return err
		})
		if err == nil {
			return true
		}
		if !sqldb.IsUnavailable(err) {
			w.fail("%s: %v", statement, err)
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// publishedBy draws the type of an event that a service publishes of orders.
func (w *World) publishedBy(service string) string {
	var kinds []string
	for _, r := range schemas.Records() {
		if r.Owner == service && r.Topic == service+".events" {
			kinds = append(kinds, r.Name)
		}
	}
	return kinds[w.draw(len(kinds))]
}
