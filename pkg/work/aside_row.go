package work

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// asideRow is a message that failed, with all that it takes to try it again.
type asideRow struct {
	Ord         int64      `db:"ord"`
	Scope       string     `db:"scope"`
	ID          string     `db:"id"`
	Key         *string    `db:"key"`
	Type        string     `db:"type"`
	Partition   *int64     `db:"partition_id"`
	Offset      *int64     `db:"record_offset"`
	RecordKey   []byte     `db:"record_key"`
	RecordValue []byte     `db:"record_value"`
	Headers     *string    `db:"headers"`
	Class       Class      `db:"class"`
	Error       string     `db:"error"`
	Arrived     time.Time  `db:"arrived_at"`
	FirstFailed *time.Time `db:"first_failed"`
	LastFailed  *time.Time `db:"last_failed"`
	RetryAt     *time.Time `db:"retry_at"`
}

func insertLetters(ctx context.Context, tx *sqldb.Tx, rows []asideRow) error {
	for i := range rows {
		rows[i].Ord = int64(i)
	}
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO letters (scope, id, key, type, partition_id, record_offset, record_key, record_value, headers,
			class, error, arrived_at, first_failed, last_failed, retry_at)
		SELECT scope, id, key, type, partition_id, record_offset, record_key, record_value, headers,
			class, error, arrived_at, first_failed, last_failed, retry_at FROM rows WHERE true ORDER BY ord`)
	if err != nil {
		return fmt.Errorf("insert %d letters: %w", len(rows), err)
	}
	return nil
}

func updateLetters(ctx context.Context, tx *sqldb.Tx, rows []asideRow) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.With(rows).Exec(ctx, `
		UPDATE letters SET class = rows.class, error = rows.error, last_failed = rows.last_failed,
			first_failed = COALESCE(letters.first_failed, rows.first_failed), retry_at = rows.retry_at
		FROM rows WHERE letters.scope = rows.scope AND letters.id = rows.id`)
	if err != nil {
		return fmt.Errorf("update %d letters: %w", len(rows), err)
	}
	return nil
}

func deleteLetters(ctx context.Context, tx *sqldb.Tx, keys []inboxKey) error {
	if len(keys) == 0 {
		return nil
	}
	_, err := tx.With(keys).Exec(ctx, `
		DELETE FROM letters WHERE seq IN (
			SELECT l.seq FROM letters l JOIN rows ON rows.scope = l.scope AND rows.id = l.id)`)
	if err != nil {
		return fmt.Errorf("delete %d letters: %w", len(keys), err)
	}
	return nil
}

// promote makes the head of each queue due, if it is parked: whoever ends a head calls it. A head that it does not see,
// because another transaction is just adding it, is due by itself; one that has just failed keeps its pause.
func promote(ctx context.Context, tx *sqldb.Tx, queues []streamRow, now time.Time) error {
	if len(queues) == 0 {
		return nil
	}
	_, err := tx.With(queues).Exec(ctx, `
		UPDATE letters SET retry_at = $1 WHERE seq IN (
			SELECT (
				SELECT l.seq FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id
				WHERE l.scope = rows.scope AND l.key = rows.key AND i.state IN ('parked', 'dead')
				ORDER BY l.seq LIMIT 1)
			FROM rows)
		AND (retry_at IS NULL OR last_failed IS NULL) AND EXISTS (
			SELECT 1 FROM inbox i
			WHERE i.scope = letters.scope AND i.id = letters.id AND i.state = 'parked')`, now)
	if err != nil {
		return fmt.Errorf("make the next of %d queues due: %w", len(queues), err)
	}
	return nil
}

// marshalHeaders keeps headers exactly, whatever bytes they are, in text that both databases take.
func marshalHeaders(headers []event.Header) string {
	pairs := make([][2][]byte, len(headers))
	for i, h := range headers {
		pairs[i] = [2][]byte{[]byte(h.Key), h.Value}
	}
	text, err := json.Marshal(pairs)
	if err != nil {
		panic(err) // bytes can be nothing but base64, or null
	}
	return string(text)
}

func unmarshalHeaders(text string) ([]event.Header, error) {
	var pairs [][2][]byte
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("headers of a letter: %w", err)
	}
	headers := make([]event.Header, len(pairs))
	for i, p := range pairs {
		headers[i] = event.Header{Key: string(p[0]), Value: p[1]}
	}
	return headers, nil
}
