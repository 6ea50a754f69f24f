-- +goose Up

-- What a list shows of an order: the data of its first event, and its progress after the event progress_version, as the
-- fold of that number sees it. A release that does not know these columns leaves the first empty and raises version
-- alone; whoever meets such a row folds the events instead.
ALTER TABLE orders ADD COLUMN placed TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN progress TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN progress_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN progress_fold BIGINT NOT NULL DEFAULT 0;

-- The newest snapshot of each long stream. It holds nothing that the events do not.
CREATE TABLE order_snapshots (
	order_id    TEXT COLLATE "C" PRIMARY KEY,
	version     BIGINT      NOT NULL,
	happened_at TIMESTAMPTZ NOT NULL,
	fold        BIGINT      NOT NULL,
	state       TEXT        NOT NULL
);

-- +goose Down
DROP TABLE order_snapshots;
ALTER TABLE orders DROP COLUMN progress_fold;
ALTER TABLE orders DROP COLUMN progress_version;
ALTER TABLE orders DROP COLUMN progress;
ALTER TABLE orders DROP COLUMN placed;
