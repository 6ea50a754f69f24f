-- +goose Up

-- The truth: an order is the fold of its events.
CREATE TABLE order_events (
	order_id       TEXT        NOT NULL,
	version        BIGINT      NOT NULL,
	type           TEXT        NOT NULL,
	data           TEXT        NOT NULL,
	event_id       TEXT        NOT NULL,
	causation_id   TEXT        NOT NULL,
	correlation_id TEXT        NOT NULL,
	happened_at    TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (order_id, version)
);

-- The read table, for lists, waiters and timers. It holds nothing that the events do not.
CREATE TABLE orders (
	order_id       TEXT COLLATE "C" PRIMARY KEY,
	customer_id    TEXT        NOT NULL,
	status         TEXT        NOT NULL,
	placed_at      TIMESTAMPTZ NOT NULL,
	-- When a pending order times out; null for any other.
	deadline       TIMESTAMPTZ,
	version        BIGINT      NOT NULL,
	-- Those of the request that placed the order; a timer carries them on.
	correlation_id TEXT        NOT NULL,
	trace          TEXT        NOT NULL
);

CREATE INDEX orders_deadline ON orders (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX orders_placed ON orders (placed_at, order_id);
CREATE INDEX orders_customer_placed ON orders (customer_id, placed_at, order_id);

-- A copy of inventory's products. The newest version stays, even of a product that was withdrawn.
CREATE TABLE catalogue (
	sku       TEXT COLLATE "C" PRIMARY KEY,
	name      TEXT    NOT NULL,
	-- Minor units of currency, for one unit.
	price     BIGINT  NOT NULL,
	currency  TEXT    NOT NULL,
	version   BIGINT  NOT NULL,
	withdrawn BOOLEAN NOT NULL
);

-- +goose Down
DROP TABLE catalogue;
DROP TABLE orders;
DROP TABLE order_events;
