-- +goose Up

-- Since when the present status of an order has waited for others, null once its saga has ended; and of which version
-- that is said. A release that does not know these columns raises version alone: the row is behind until it is brought
-- up to date.
ALTER TABLE orders ADD COLUMN open_since TIMESTAMPTZ;
ALTER TABLE orders ADD COLUMN open_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX orders_open ON orders (open_since, order_id) WHERE open_since IS NOT NULL;
CREATE INDEX orders_behind ON orders (order_id) WHERE open_version <> version;

-- The other table of each read model: one of the two is served, the other one is empty or being built.
CREATE TABLE orders_2 (
	order_id         TEXT COLLATE "C" PRIMARY KEY,
	customer_id      TEXT        NOT NULL,
	status           TEXT        NOT NULL,
	placed_at        TIMESTAMPTZ NOT NULL,
	deadline         TIMESTAMPTZ,
	version          BIGINT      NOT NULL,
	correlation_id   TEXT        NOT NULL,
	trace            TEXT        NOT NULL,
	placed           TEXT        NOT NULL DEFAULT '',
	progress         TEXT        NOT NULL DEFAULT '',
	progress_version BIGINT      NOT NULL DEFAULT 0,
	progress_fold    BIGINT      NOT NULL DEFAULT 0,
	open_since       TIMESTAMPTZ,
	open_version     BIGINT      NOT NULL DEFAULT 0
);

CREATE INDEX orders_2_deadline ON orders_2 (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX orders_2_placed ON orders_2 (placed_at, order_id);
CREATE INDEX orders_2_customer_placed ON orders_2 (customer_id, placed_at, order_id);
CREATE INDEX orders_2_open ON orders_2 (open_since, order_id) WHERE open_since IS NOT NULL;
CREATE INDEX orders_2_behind ON orders_2 (order_id) WHERE open_version <> version;

CREATE TABLE catalogue_2 (
	sku       TEXT COLLATE "C" PRIMARY KEY,
	name      TEXT    NOT NULL,
	price     BIGINT  NOT NULL,
	currency  TEXT    NOT NULL,
	version   BIGINT  NOT NULL,
	withdrawn BOOLEAN NOT NULL
);

-- Which table of each read model is served. Writers share a lock on these rows.
CREATE TABLE projections (
	model    TEXT COLLATE "C" PRIMARY KEY,
	-- 1 or 2.
	active   BIGINT NOT NULL,
	-- The table that is written beside it because it is being built, 0 if none is.
	building BIGINT NOT NULL
);

INSERT INTO projections (model, active, building) VALUES ('catalogue', 1, 0), ('orders', 1, 0);

-- The last rebuild of each read model.
CREATE TABLE rebuilds (
	model      TEXT COLLATE "C" PRIMARY KEY,
	run        TEXT        NOT NULL,
	phase      TEXT        NOT NULL,
	position   TEXT        NOT NULL,
	done       BIGINT      NOT NULL,
	total      BIGINT      NOT NULL,
	operator   TEXT        NOT NULL,
	error      TEXT        NOT NULL,
	started_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE rebuilds;
DROP TABLE projections;
DROP TABLE catalogue_2;
DROP TABLE orders_2;
DROP INDEX orders_behind;
DROP INDEX orders_open;
ALTER TABLE orders DROP COLUMN open_version;
ALTER TABLE orders DROP COLUMN open_since;
