-- +goose Up

-- One column a fact.
CREATE TABLE payments (
	order_id        TEXT COLLATE "C" PRIMARY KEY,
	-- Minor units of currency. 0 and empty until an event of the order has told them.
	amount          BIGINT      NOT NULL,
	currency        TEXT        NOT NULL,
	-- The customer's payment token: personal data.
	method          TEXT        NOT NULL,
	placed          BOOLEAN     NOT NULL,
	reserved        BOOLEAN     NOT NULL,
	confirmed       BOOLEAN     NOT NULL,
	cancelled       BOOLEAN     NOT NULL,
	-- The gateway's id of the payment intent.
	intent          TEXT        NOT NULL,
	authorized      BIGINT      NOT NULL CHECK (authorized >= 0),
	captured        BIGINT      NOT NULL CHECK (captured >= 0),
	refunded        BIGINT      NOT NULL CHECK (refunded >= 0 AND refunded <= captured),
	decline         TEXT        NOT NULL,
	capture_failure TEXT        NOT NULL,
	fenced          BOOLEAN     NOT NULL,
	expired         BOOLEAN     NOT NULL,
	cancel_refused  TEXT        NOT NULL,
	refund_refused  TEXT        NOT NULL,
	ended           TEXT        NOT NULL,
	-- The call that follows from the facts above, null if none does. It is there for the index.
	next_call       TEXT,
	version         BIGINT      NOT NULL,
	updated_at      TIMESTAMPTZ NOT NULL,
	-- Those of the request that the payment goes back to; the answers of its calls carry them on.
	correlation_id  TEXT        NOT NULL,
	trace           TEXT        NOT NULL
);

CREATE INDEX payments_next_call ON payments (updated_at, order_id) WHERE next_call IS NOT NULL;

-- The leases of calls to the gateway. A row is written under the lock of its payment's row.
CREATE TABLE calls (
	order_id     TEXT COLLATE "C" PRIMARY KEY,
	-- What was claimed last.
	operation    TEXT        NOT NULL,
	-- How many calls were ever claimed. It never decreases: a payment that has none is voided without a call.
	claims       BIGINT      NOT NULL CHECK (claims > 0),
	-- How many of them were for the present operation, one after another.
	attempts     BIGINT      NOT NULL,
	-- Until when the last one may be under way. No other is claimed before.
	leased_until TIMESTAMPTZ NOT NULL,
	-- Before when the same operation is not claimed again. Another one need not wait.
	retry_at     TIMESTAMPTZ NOT NULL
);

-- Append-only, double entry: the lines of each (order_id, version) balance.
CREATE TABLE ledger_entries (
	order_id  TEXT COLLATE "C" NOT NULL,
	version   BIGINT      NOT NULL,
	line      BIGINT      NOT NULL,
	account   TEXT        NOT NULL,
	-- Minor units of currency. Exactly one of the two is not 0.
	debit     BIGINT      NOT NULL,
	credit    BIGINT      NOT NULL,
	currency  TEXT        NOT NULL,
	event_id  TEXT        NOT NULL,
	booked_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (order_id, version, line),
	CHECK (debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0))
);

CREATE INDEX ledger_entries_booked ON ledger_entries (booked_at, order_id, version, line);

-- +goose Down
DROP TABLE ledger_entries;
DROP TABLE calls;
DROP TABLE payments;
