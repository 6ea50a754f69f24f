package servicetest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// The toy is a service that keeps every rule: it adds up, by id, what it hears and what it is asked to add.

type added struct {
	ID string `avro:"id" json:"id"`
	N  int64  `avro:"n" json:"n"`
}

type summed struct {
	ID    string `avro:"id" json:"id"`
	Total int64  `avro:"total" json:"total"`
}

func (*added) EventType() string  { return "test.Added" }
func (*summed) EventType() string { return "test.Summed" }

const (
	twoFields = `,"namespace":"test","fields":[{"name":"id","type":"string"},{"name":`
	maxTotal  = 1000
)

var (
	addedType = serde.Type{
		Name: "test.Added", Topic: "added.events", New: func() event.Data { return new(added) },
		Schema: `{"type":"record","name":"Added"` + twoFields + `"n","type":"long"}]}`,
	}
	summedType = serde.Type{
		Name: "test.Summed", Topic: "summed.events", New: func() event.Data { return new(summed) },
		Schema: `{"type":"record","name":"Summed"` + twoFields + `"total","type":"long"}]}`,
	}
)

var errOutOfRange = errors.New("out of range")

type sum struct {
	ID      string `db:"id"`
	Total   int64  `db:"total"`
	Version int64  `db:"version"`
	Stored  int64  `db:"stored"`
}

type sums map[string]*sum

type add struct {
	ID string
	N  int64
	At time.Time
	// instead breaks a rule of decisions.
	instead func(add, sums) ([]grown, error)
}

type grown struct {
	ID             string
	Total, Version int64
	At             time.Time
}

func (m add) Decide(s sums) ([]grown, error) {
	if m.instead != nil {
		return m.instead(m, s)
	}
	return m.decide(s)
}

func (m add) decide(s sums) ([]grown, error) {
	if m.N < 1 || m.N > maxTotal-s[m.ID].Total {
		return nil, errOutOfRange
	}
	s[m.ID].Total += m.N
	s[m.ID].Version++
	return []grown{{m.ID, s[m.ID].Total, s[m.ID].Version, m.At}}, nil
}

type (
	toy      = service.Definition[add, sums, grown]
	toyParts = service.Parts[add, sums, grown]
)

const (
	toyUp = "-- +goose Up\n" +
		`CREATE TABLE sums (id TEXT COLLATE "C" PRIMARY KEY, total BIGINT NOT NULL, version BIGINT NOT NULL);` + "\n" +
		"CREATE TABLE notes (note TEXT NOT NULL);\n"
	toyDown = "-- +goose Down\nDROP TABLE notes;\nDROP TABLE sums;\n"
)

func newToy() toy {
	return toy{
		Name: "toy", Title: "Sums",
		Migrations: fstest.MapFS{"00001_sums.sql": {Data: []byte(toyUp + toyDown)}},
		Publishes:  []serde.Type{summedType}, Consumes: []serde.Type{addedType},
		Load: loadSums, Save: saveSums, Publish: publishGrown, Input: inputAdd, Routes: toyRoutes,
	}
}

func publishGrown(g grown) (event.Event, bool) {
	return event.Event{Key: g.ID, Sequence: g.Version, Time: g.At, Data: &summed{g.ID, g.Total}}, true
}

func inputAdd(e event.Event, at time.Time) (add, bool, error) {
	data, ok := e.Data.(*added)
	if !ok {
		return add{}, false, nil
	}
	return add{ID: data.ID, N: data.N, At: at}, true, kafka.CheckKey(e, data.ID)
}

type idRow struct {
	ID string `db:"id"`
}

func loadSums(ctx context.Context, tx *sqldb.Tx, inputs []add) (sums, error) {
	s := make(sums)
	var ids []string
	for _, in := range inputs {
		s[in.ID] = &sum{ID: in.ID}
		ids = append(ids, in.ID)
	}
	keys := sqldb.Keys(ids, func(id string) idRow { return idRow{id} })
	if err := tx.With(keys).Lock(ctx, `SELECT s.id FROM sums s JOIN rows ON rows.id = s.id ORDER BY s.id`); err != nil {
		return nil, err
	}
	found, err := sqldb.Select[sum](ctx, tx.With(keys), `
		SELECT s.id, s.total, s.version, s.version AS stored FROM sums s JOIN rows ON rows.id = s.id`)
	for _, row := range found {
		s[row.ID] = &row
	}
	return s, err
}

func saveSums(ctx context.Context, tx *sqldb.Tx, s sums, _ []work.Fact[grown]) error {
	var created, changed []sum
	for _, id := range slices.Sorted(maps.Keys(s)) {
		switch s[id].Stored {
		case s[id].Version:
		case 0:
			created = append(created, *s[id])
		default:
			changed = append(changed, *s[id])
		}
	}
	if err := work.Write(ctx, tx, created, `
		INSERT INTO sums (id, total, version) SELECT id, total, version FROM rows WHERE true ORDER BY id`); err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE sums SET total = rows.total, version = rows.version FROM rows
		WHERE sums.id = rows.id AND sums.version = rows.stored`)
}

type (
	addIn struct {
		ID string `path:"id" minLength:"1" maxLength:"64"`
		httpapi.Idempotency
		Body struct {
			N int64 `json:"n" minimum:"1" maximum:"100"`
		}
	}
	sumOut struct {
		Body struct {
			ID    string `json:"id"`
			Total int64  `json:"total"`
		}
	}
)

// addition describes the toy's one operation.
func addition() huma.Operation {
	return huma.Operation{
		OperationID: "add", Method: http.MethodPost, Path: "/v1/sums/{id}/additions", Summary: "Add to a sum",
		DefaultStatus: http.StatusOK, Errors: httpapi.Refusals(http.MethodPost, http.StatusConflict),
	}
}

func toyRoutes(api huma.API, p *toyParts) {
	huma.Register(api, addition(), func(ctx context.Context, in *addIn) (*sumOut, error) {
		return addBy(ctx, p, in.Key, in.ID, in.Body.N)
	})
}

func addBy(ctx context.Context, p *toyParts, key httpapi.IdempotencyKey, id string, n int64) (*sumOut, error) {
	at := p.Now()
	receipt, err := p.Do(ctx, service.Command[add]{
		Idempotency: key, Body: n, Key: id, Status: http.StatusOK, At: at, Input: add{ID: id, N: n, At: at},
	})
	if err != nil {
		return nil, err
	}
	out := &sumOut{}
	err = p.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out.Body.ID = receipt.Key
		out.Body.Total, err = sqldb.Get[int64](ctx, tx, `SELECT total FROM sums WHERE id = $1`, receipt.Key)
		return err
	})
	return out, err
}

func toyStory() Story[add] {
	return Story[add]{
		Tell: func(t *Teller[add]) {
			t.Event("a", &added{"a", 3})
			t.Event("b", &added{"b", 4})
			t.Event("a", &added{"a", 5})
			t.Tell("POST /v1/sums/{id}/additions", "a", add{ID: "a", N: 6, At: t.Now()})
			t.Event("b", &added{"b", 7})
		},
		Posts: []Post{{Path: "/v1/sums/a/additions", Body: `{"n":1}`, Other: `{"n":2}`}},
	}
}
