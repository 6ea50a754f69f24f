-- +goose Up

-- Whether an operator ended it. A release that does not know this cannot have.
ALTER TABLE payments ADD COLUMN settled_by_hand BOOLEAN NOT NULL DEFAULT FALSE;

-- Who settled by hand and why; empty for what the gateway did.
ALTER TABLE ledger_entries ADD COLUMN operator TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger_entries ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE ledger_entries DROP COLUMN reason;
ALTER TABLE ledger_entries DROP COLUMN operator;
ALTER TABLE payments DROP COLUMN settled_by_hand;
