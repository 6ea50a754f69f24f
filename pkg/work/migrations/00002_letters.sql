-- +goose Up

-- How often what is parked was tried; a row's moves are guarded by its state and this number.
ALTER TABLE inbox ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;

-- An event that is parked or dead holds back the later ones of its topic and key.
CREATE INDEX inbox_open ON inbox (scope, resource) WHERE state IN ('parked', 'dead');

-- What is done or discarded is pruned when it is old enough: commands, which have a status, sooner than the rest.
CREATE INDEX inbox_old_commands ON inbox (handled_at) WHERE status > 0 AND state IN ('done', 'discarded');
CREATE INDEX inbox_old ON inbox (handled_at) WHERE status <= 0 AND state IN ('done', 'discarded');

-- Messages that could not be handled: one for each row of the inbox that is parked, dead or discarded. Those of one
-- scope and key are a queue, oldest seq first; its head is the first that is parked or dead.
CREATE TABLE letters (
	seq           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope         TEXT        NOT NULL,
	id            TEXT        NOT NULL,
	-- Null if it holds nothing back and waits behind nothing: it is a queue by itself.
	key           TEXT,
	-- What the headers claim, however wrong; empty if they claim none, or nothing that is text.
	type          TEXT        NOT NULL,
	-- The consumed record as it was. Null for a timer or an answer, which is made again when it is tried again.
	partition_id  BIGINT,
	record_offset BIGINT,
	record_key    BYTEA,
	record_value  BYTEA,
	-- JSON: [[name, value], …], both in base64.
	headers       TEXT,
	-- Why: the class is stable, the error is for people.
	class         TEXT        NOT NULL,
	error         TEXT        NOT NULL,
	-- When it came, failed first and failed last; the last two are null while it only waits behind another.
	arrived_at    TIMESTAMPTZ NOT NULL,
	first_failed  TIMESTAMPTZ,
	last_failed   TIMESTAMPTZ,
	-- When a parked one is looked at again. Null if it is dead or discarded, or known to wait behind another: whoever
	-- ends the head of a queue makes the next one due.
	retry_at      TIMESTAMPTZ,
	UNIQUE (scope, id)
);

CREATE INDEX letters_queue ON letters (scope, key, seq);
CREATE INDEX letters_retry ON letters (retry_at) WHERE retry_at IS NOT NULL;

-- What operators did, for ever as long as there is a row of the inbox.
CREATE TABLE rulings (
	seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope    TEXT        NOT NULL,
	id       TEXT        NOT NULL,
	-- redrive or discard.
	action   TEXT        NOT NULL,
	operator TEXT        NOT NULL,
	reason   TEXT        NOT NULL,
	ruled_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX rulings_message ON rulings (scope, id);

-- +goose Down
DROP TABLE rulings;
DROP TABLE letters;
DROP INDEX inbox_old;
DROP INDEX inbox_old_commands;
DROP INDEX inbox_open;
ALTER TABLE inbox DROP COLUMN attempts;
