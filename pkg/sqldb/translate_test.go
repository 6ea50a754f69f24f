package sqldb

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestTranslate(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"types": {"a TIMESTAMPTZ, b bytea NOT NULL, c JsonB", "a TIMESTAMP, b BLOB NOT NULL, c TEXT"},
		"identity": {
			"seq bigint  GENERATED ALWAYS\n\tAS IDENTITY PRIMARY KEY,", "seq INTEGER PRIMARY KEY AUTOINCREMENT,",
		},
		"collation":        {`key TEXT COLLATE "C" NOT NULL`, `key TEXT COLLATE BINARY NOT NULL`},
		"part of a word":   {"bytea_count BIGINT, my_jsonb TEXT", "bytea_count BIGINT, my_jsonb TEXT"},
		"string":           {"DEFAULT 'a BYTEA, it''s JSONB', x BYTEA", "DEFAULT 'a BYTEA, it''s JSONB', x BLOB"},
		"quoted name":      {`"bytea" BYTEA`, `"bytea" BLOB`},
		"line comment":     {"-- BYTEA's\nx BYTEA", "-- BYTEA's\nx BLOB"},
		"comment in block": {"/* BYTEA\n' */ x BYTEA /* JSONB */", "/* BYTEA\n' */ x BLOB /* JSONB */"},
		"nothing to do":    {"CREATE TABLE t (id BIGINT PRIMARY KEY);", "CREATE TABLE t (id BIGINT PRIMARY KEY);"},
	}
	for name, test := range tests {
		if got := translate(test.text); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, test.want)
		}
	}
}

func TestOnlySQLFilesAreTranslated(t *testing.T) {
	original := fstest.MapFS{"00001_a.sql": {Data: []byte("x BYTEA")}, "readme": {Data: []byte("BYTEA")}}
	for name, want := range map[string]string{"00001_a.sql": "x BLOB", "readme": "BYTEA"} {
		if got, err := fs.ReadFile(translated{original}, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
}
