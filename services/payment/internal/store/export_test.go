package store

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// ClaimIn claims within a transaction that the test holds open.
func ClaimIn(ctx context.Context, tx *sqldb.Tx, now time.Time, limit int) ([]Call, error) {
	return claim(ctx, tx, nil, now, limit)
}
