-- +goose Up

-- What is known of an order as far as its customer is told of it.
CREATE TABLE mail_logs (
	order_id       TEXT COLLATE "C" PRIMARY KEY,
	-- Minor units of currency. 0 and empty until an event of the order has told them.
	total          BIGINT      NOT NULL,
	currency       TEXT        NOT NULL,
	placed         BOOLEAN     NOT NULL,
	-- The customer's: personal data. It and the next two are empty until placed.
	address        TEXT        NOT NULL,
	-- Ends the Message-IDs.
	domain         TEXT        NOT NULL,
	-- JSON: [{"sku", "quantity", "unit_price"}].
	lines          TEXT        NOT NULL,
	confirmed      BOOLEAN     NOT NULL,
	cancelled      BOOLEAN     NOT NULL,
	reason         TEXT        NOT NULL,
	-- The customer's own words: personal data.
	detail         TEXT        NOT NULL,
	refunded       BIGINT      NOT NULL CHECK (refunded >= 0),
	-- The kind of the mail whose turn it is, null if there is none. It is there for the index.
	next_call      TEXT,
	version        BIGINT      NOT NULL,
	updated_at     TIMESTAMPTZ NOT NULL,
	-- Those of the request that the order goes back to; what is told of its mails carries them on.
	correlation_id TEXT        NOT NULL,
	trace          TEXT        NOT NULL
);

CREATE INDEX mail_logs_next_call ON mail_logs (updated_at, order_id) WHERE next_call IS NOT NULL;

-- The mails there is a reason for. A row is written with that of its log, whose version guards it.
CREATE TABLE mails (
	order_id   TEXT COLLATE "C" NOT NULL,
	kind       TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	-- Null: it waits for a fact, or for the mail before it.
	due_at     TIMESTAMPTZ,
	-- sent, refused or expired; empty while that is not known.
	outcome    TEXT        NOT NULL,
	ended_at   TIMESTAMPTZ,
	PRIMARY KEY (order_id, kind)
);

CREATE INDEX mails_created ON mails (created_at, order_id, kind);

-- The leases of mails that are being sent. A row is written under the lock of its log's row.
CREATE TABLE calls (
	order_id     TEXT COLLATE "C" PRIMARY KEY,
	-- What was claimed last: a kind of mail.
	operation    TEXT        NOT NULL,
	-- How many mails were ever claimed.
	claims       BIGINT      NOT NULL CHECK (claims > 0),
	-- How many of them were the present mail, one after another.
	attempts     BIGINT      NOT NULL,
	-- Until when the last one may be under way. No other is claimed before.
	leased_until TIMESTAMPTZ NOT NULL,
	-- Before when the same mail is not claimed again. Another one need not wait.
	retry_at     TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE calls;
DROP TABLE mails;
DROP TABLE mail_logs;
