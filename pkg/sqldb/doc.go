// Package sqldb runs one SQL text on PostgreSQL (pgx) and on SQLite (modernc.org/sqlite, no cgo).
//
// The text is written in the words both share: $1 … $k for parameters, INSERT … ON CONFLICT, UPDATE … FROM, RETURNING,
// common table expressions. What differs is handled here:
//
//   - A slice of structs becomes a relation named rows ([Tx.With]), so that one statement carries a whole batch.
//     On PostgreSQL it is unnest over one binary array a column: 500 rows of six columns are inserted 1.3 times as fast
//     as by json_to_recordset, and 5 times as fast as by a loop. On SQLite it is jsonb_each over one parameter: 1.2
//     times as fast as json_each, and about as fast as a loop, for there is no round trip to save. BenchmarkInsert
//     measures it.
//   - Locks ([Tx.Lock], [Relation.Lock]) are FOR UPDATE on PostgreSQL and nothing on SQLite, where the writer is alone.
//   - Times are TIMESTAMPTZ on PostgreSQL; on SQLite text of one fixed width, so that the order of the text is the
//     order in time. Both keep microseconds, and what is read comes back in UTC.
//   - Strings must be valid UTF-8 without NUL on either, as PostgreSQL demands.
//   - After a statement has failed, its transaction refuses every later statement and the commit, as PostgreSQL does.
//   - Migrations are written in PostgreSQL's words ([Migrate]).
//
// Texts compare by the database's collation on PostgreSQL and by bytes on SQLite. A column whose order matters is
// declared COLLATE "C", which [Migrate] understands on both.
//
// An error is one of three things: infrastructure that comes back ([IsUnavailable]), a key that exists already
// ([IsDuplicate]), or a mistake.
package sqldb
