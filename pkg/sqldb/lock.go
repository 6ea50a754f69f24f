package sqldb

import "context"

// Lock locks the rows that query finds until the transaction ends, and returns none of them: it is FOR UPDATE on
// PostgreSQL and nothing on SQLite, where the writer is alone. The query orders its rows (ORDER BY), so that no two
// transactions wait for each other. What a row then holds is read by a later statement, which sees what the previous
// holder of the lock committed.
func (tx *Tx) Lock(ctx context.Context, query string, args ...any) error {
	return lockRows(ctx, tx, tx.dialect, " FOR UPDATE", query, args)
}

// LockShared is [Tx.Lock] FOR SHARE: holders do not exclude each other, only writers.
func (tx *Tx) LockShared(ctx context.Context, query string, args ...any) error {
	return lockRows(ctx, tx, tx.dialect, " FOR SHARE", query, args)
}

// Lock is [Tx.Lock] with the relation.
func (r Relation) Lock(ctx context.Context, query string, args ...any) error {
	return lockRows(ctx, r, r.tx.dialect, " FOR UPDATE", query, args)
}

// LockShared is [Tx.LockShared] with the relation.
func (r Relation) LockShared(ctx context.Context, query string, args ...any) error {
	return lockRows(ctx, r, r.tx.dialect, " FOR SHARE", query, args)
}

// LockTable waits until no other transaction holds a lock on a row of the table, and keeps others from taking one until
// the transaction ends; reading goes on. Unlike a lock on a row it comes in its turn, however many transactions with
// [Tx.LockShared] follow each other without a gap. It is to be the first statement of its transaction. On SQLite it is
// nothing: the writer is alone.
func (tx *Tx) LockTable(ctx context.Context, table string) error {
	if tx.dialect == SQLite {
		return nil
	}
	_, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN EXCLUSIVE MODE")
	return err
}

type execer interface {
	Exec(ctx context.Context, query string, args ...any) (int64, error)
}

func lockRows(ctx context.Context, e execer, dialect Dialect, strength, query string, args []any) error {
	if dialect == SQLite {
		return nil
	}
	_, err := e.Exec(ctx, query+strength, args...)
	return err
}
