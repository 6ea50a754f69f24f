package sqldb_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

type status string

type embedded struct {
	ID int64 `db:"id"`
}

// every has a field of every kind, plain and nullable.
type every struct {
	embedded
	String     string     `db:"a_string"`
	Alias      status     `db:"an_alias"`
	Int        int        `db:"an_int"`
	Bool       bool       `db:"a_bool"`
	Bytes      []byte     `db:"a_bytes"`
	Time       time.Time  `db:"a_time"`
	StringNull *string    `db:"a_string_null"`
	AliasNull  *status    `db:"an_alias_null"`
	IntNull    *int64     `db:"an_int_null"`
	BoolNull   *bool      `db:"a_bool_null"`
	TimeNull   *time.Time `db:"a_time_null"`
	Untagged   string
}

var everyMigration = fstest.MapFS{"00001_every.sql": {Data: []byte(`-- +goose Up
CREATE TABLE every (
	id            BIGINT PRIMARY KEY,
	a_string      TEXT NOT NULL,
	an_alias      TEXT NOT NULL,
	an_int        BIGINT NOT NULL,
	a_bool        BOOLEAN NOT NULL,
	a_bytes       BYTEA,
	a_time        TIMESTAMPTZ NOT NULL,
	a_string_null TEXT,
	an_alias_null TEXT,
	an_int_null   BIGINT,
	a_bool_null   BOOLEAN,
	a_time_null   TIMESTAMPTZ
);
`)}}

const everyColumns = `id, a_string, an_alias, an_int, a_bool, a_bytes, a_time,
	a_string_null, an_alias_null, an_int_null, a_bool_null, a_time_null`

func everyRows() []every {
	kathmandu := time.FixedZone("", 5*3600+45*60)
	moment := time.Date(2026, 2, 28, 23, 59, 59, 123456789, kathmandu)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	rows := []every{
		{String: "", Time: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Bytes: nil},
		{
			String: "é\"\\/\t\n\r\x01\x1f\x7f ' $1 漢 🂡  {}[]", Alias: "paid", Int: math.MaxInt64, Bool: true, Bytes: []byte{},
			Time: moment, StringNull: new(""), AliasNull: new(status("due")), IntNull: new(int64(math.MinInt64)),
			BoolNull: new(false), TimeNull: new(time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)),
		},
		{String: "null", Alias: "12", Int: -1, Bytes: all, Time: moment, StringNull: new("1e3"), IntNull: new(int64(0))},
	}
	for i := range rows {
		rows[i].ID = int64(i + 1)
	}
	return rows
}

// asStored is what a database keeps of rows.
func asStored(rows []every) []every {
	stored := slices.Clone(rows)
	for i := range stored {
		stored[i].Time = stored[i].Time.UTC().Truncate(time.Microsecond)
	}
	return stored
}

func TestEveryKindOfColumnComesBackAsItWent(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if err := sqldb.Migrate(ctx, db, everyMigration, "every"); err != nil {
			t.Fatal(err)
		}
		rows := everyRows()
		want := asStored(rows)
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			affected, err := tx.With(rows).Exec(ctx,
				`INSERT INTO every (`+everyColumns+`) SELECT `+everyColumns+` FROM rows WHERE true ORDER BY id`)
			if affected != int64(len(rows)) {
				t.Errorf("affected %d rows, want %d", affected, len(rows))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(ctx, func(tx *sqldb.Tx) error {
			got, err := sqldb.Select[every](ctx, tx, `SELECT `+everyColumns+` FROM every ORDER BY id`)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(every{})); diff != "" {
				t.Error("from the table (-want +got):\n" + diff)
			}
			for _, row := range got {
				if row.Time.Location() != time.UTC {
					t.Errorf("time %v is not in UTC", row.Time)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("as parameters", func(t *testing.T) {
			err := db.Tx(ctx, func(tx *sqldb.Tx) error {
				for i := range rows {
					r := &rows[i]
					_, err := tx.Exec(ctx, `INSERT INTO every (`+everyColumns+`)
						VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
						r.ID+100, r.String, r.Alias, r.Int, r.Bool, r.Bytes, r.Time,
						r.StringNull, r.AliasNull, r.IntNull, r.BoolNull, r.TimeNull)
					if err != nil {
						return err
					}
				}
				got, err := sqldb.Select[every](ctx, tx, `SELECT `+everyColumns+` FROM every WHERE id > $1 ORDER BY id`, 100)
				for i := range got {
					got[i].ID -= 100
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(every{})); diff != "" {
					t.Error("(-want +got):\n" + diff)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestTextWithNULOrInvalidUTF8IsRefusedBeforeItReachesTheDatabase(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for _, text := range []string{"a\x00b", "a\xffb"} {
			err := db.Tx(ctx, func(tx *sqldb.Tx) error {
				if _, err := tx.Exec(ctx, `UPDATE items SET note = $1`, text); err == nil {
					t.Errorf("parameter %q: no error", text)
				}
				if _, err := tx.With([]item{{Key: text}}).Exec(ctx, `SELECT key FROM rows`); err == nil {
					t.Errorf("row %q: no error", text)
				}
				// Nothing was sent, so the transaction stands.
				_, err := tx.Exec(ctx, `SELECT 1`)
				return err
			})
			if err != nil || sqldb.IsUnavailable(err) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestEmptySliceIsRelationWithoutRows(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		for name, none := range map[string][]item{"nil": nil, "empty": {}} {
			mustInsert(t, db, none...)
			if got := selectItems(t, db); len(got) != 0 {
				t.Errorf("%s: inserted %v", name, got)
			}
		}
	})
}

func TestRowsAreInsertedInTheOrderAsked(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		var items []item
		for i := range 300 {
			// 37 is prime to 300, so this visits all keys, out of order.
			items = append(items, item{Key: string(rune('A'+i*37%300/26)) + string(rune('a'+i*37%300%26)), Count: int64(i)})
		}
		mustInsert(t, db, items...)
		var got []string
		err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
			got, err = sqldb.Select[string](t.Context(), tx, `SELECT key FROM items ORDER BY seq`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(got) || len(got) != len(items) {
			t.Errorf("%d keys in the order of seq: %s", len(got), strings.Join(got, " "))
		}
	})
}

func TestUpdateFromRowsCountsTheRowsWhoseVersionIsTheOneLoaded(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		mustInsert(t, db, item{Key: "a", Version: 1}, item{Key: "b", Version: 2}, item{Key: "c", Version: 1})
		type change struct {
			Key    string `db:"key"`
			Count  int64  `db:"count"`
			Loaded int64  `db:"loaded"`
		}
		changes := []change{{"a", 10, 1}, {"b", 20, 1}, {"c", 30, 1}, {"absent", 40, 1}}
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			affected, err := tx.With(changes).Exec(ctx, `
				UPDATE items SET count = rows.count, version = rows.loaded + $1 FROM rows
				WHERE items.key = rows.key AND items.version = rows.loaded`, 1)
			if affected != 2 {
				t.Errorf("affected %d rows, want 2", affected)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []item{{Key: "a", Count: 10, Version: 2}, {Key: "b", Version: 2}, {Key: "c", Count: 30, Version: 2}}
		if diff := cmp.Diff(want, selectItems(t, db)); diff != "" {
			t.Error("(-want +got):\n" + diff)
		}
	})
}

func TestStatementsOverRows(t *testing.T) {
	type key struct {
		Key string `db:"key"`
	}
	keys := []key{{"b"}, {"c"}, {"x"}}
	tests := map[string]struct {
		query string
		args  []any
		want  []string
	}{
		"join": {`SELECT i.key FROM items i JOIN rows ON rows.key = i.key ORDER BY i.key`, nil, []string{"b", "c"}},
		"own parameters": {
			`SELECT i.key FROM items i JOIN rows ON rows.key = i.key WHERE i.count > $1 AND i.count < $2`,
			[]any{2, 9}, []string{"c"},
		},
		"parameter used twice, out of order": {
			`SELECT i.key FROM items i JOIN rows ON rows.key = i.key WHERE i.count <> $2 AND i.count > $1 AND i.count >= $1`,
			[]any{2, 9}, []string{"c"},
		},
		"its own WITH": {
			` with few AS (SELECT key FROM items WHERE count < $1) SELECT few.key FROM few JOIN rows ON rows.key = few.key`,
			[]any{3}, []string{"b"},
		},
		"its own WITH RECURSIVE": {
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2)
			SELECT rows.key FROM rows JOIN n ON true ORDER BY rows.key`,
			nil, []string{"b", "b", "c", "c", "x", "x"},
		},
		"DELETE RETURNING": {
			`DELETE FROM items WHERE key IN (SELECT key FROM rows) AND count = 2 RETURNING key`,
			nil, []string{"b"},
		},
		"named twice": {
			`SELECT l.key FROM rows l JOIN rows r ON r.key = l.key WHERE l.key NOT IN (SELECT key FROM items)`,
			nil, []string{"x"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			eachItems(t, func(t *testing.T, db *sqldb.DB) {
				mustInsert(t, db, item{Key: "a", Count: 1}, item{Key: "b", Count: 2}, item{Key: "c", Count: 3})
				err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
					got, err := sqldb.Select[string](t.Context(), tx.With(keys), test.query, test.args...)
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Error("(-want +got):\n" + diff)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRowsThatAreNoRelationAreRefused(t *testing.T) {
	type twice struct {
		A string `db:"a"`
		B string `db:"a"`
	}
	type unsupported struct {
		A map[string]string `db:"a"`
	}
	type unexported struct {
		a string `db:"a"`
	}
	tests := map[string]struct {
		rows any
		want string
	}{
		"no slice":         {item{}, "slice of structs"},
		"nil":              {nil, "slice of structs"},
		"slice of strings": {[]string{"a"}, "slice of structs"},
		"no tags":          {[]struct{ A string }{{"a"}}, "no field"},
		"one column twice": {[]twice{{"a", "b"}}, "already"},
		"unsupported type": {[]unsupported{{}}, "cannot hold"},
		"unexported field": {[]unexported{{"a"}}, "exported"},
		"a time out of range": {[]struct {
			At time.Time `db:"at"`
		}{{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}, "year"},
	}
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, test := range tests {
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.With(test.rows).Exec(t.Context(), `SELECT 1`)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), test.want) || sqldb.IsUnavailable(err) {
				t.Errorf("%s: error %v does not say %q", name, err, test.want)
			}
		}
	})
}
