-- +goose Up
CREATE TABLE outbox (
	seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	topic      TEXT        NOT NULL,
	key        TEXT        NOT NULL,
	headers    TEXT        NOT NULL,
	value      BYTEA,
	written_at TIMESTAMPTZ NOT NULL
);

-- Each lane of the relay reads the oldest rows of one topic.
CREATE INDEX outbox_topic_seq ON outbox (topic, seq);

-- +goose Down
DROP TABLE outbox;
