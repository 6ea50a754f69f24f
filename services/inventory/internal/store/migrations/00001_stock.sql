-- +goose Up
CREATE TABLE products (
	sku          TEXT COLLATE "C" PRIMARY KEY,
	name         TEXT        NOT NULL,
	-- Minor units of currency, for one unit.
	price        BIGINT      NOT NULL,
	currency     TEXT        NOT NULL,
	available    BIGINT      NOT NULL CHECK (available >= 0),
	reserved     BIGINT      NOT NULL CHECK (reserved >= 0),
	sold         BIGINT      NOT NULL CHECK (sold >= 0),
	version      BIGINT      NOT NULL,
	-- The version that the last ProductUpdated carried.
	published    BIGINT      NOT NULL,
	updated_at   TIMESTAMPTZ NOT NULL,
	republish_at TIMESTAMPTZ
);

CREATE INDEX products_republish_at ON products (republish_at) WHERE republish_at IS NOT NULL;

CREATE TABLE reservations (
	order_id   TEXT        PRIMARY KEY,
	status     TEXT        NOT NULL,
	-- [{"sku": …, "quantity": …}], one a sku.
	lines      TEXT        NOT NULL,
	placed     BOOLEAN     NOT NULL,
	confirmed  BOOLEAN     NOT NULL,
	cancelled  BOOLEAN     NOT NULL,
	version    BIGINT      NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);

-- Append-only: why the levels are what they are.
CREATE TABLE movements (
	order_id TEXT        NOT NULL,
	sku      TEXT        NOT NULL,
	version  BIGINT      NOT NULL,
	kind     TEXT        NOT NULL,
	quantity BIGINT      NOT NULL,
	event_id TEXT        NOT NULL,
	moved_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (order_id, sku, version)
);

-- +goose Down
DROP TABLE movements;
DROP TABLE reservations;
DROP TABLE products;
