-- +goose Up
CREATE TABLE inbox (
	-- The topic of an event, "METHOD /path" of a command, "timer" or "call".
	scope      TEXT        NOT NULL,
	id         TEXT        NOT NULL,
	state      TEXT        NOT NULL,
	-- SHA-256 of an event's value or of a command's body.
	digest     BYTEA       NOT NULL,
	-- Of a command: the HTTP status of its first answer and the key of the resource that it named.
	status     BIGINT      NOT NULL,
	resource   TEXT        NOT NULL,
	handled_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (scope, id)
);

-- +goose Down
DROP TABLE inbox;
