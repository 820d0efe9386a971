-- Values of the system that follows that were overwritten because the master is right: kept, so that a person can
-- see them and take them over into the master. An edit that comes back three times within a day is told by them.
CREATE TABLE overridden (
    id {serial},
    flow TEXT NOT NULL,
    source_key TEXT NOT NULL,
    destination_key TEXT NOT NULL,
    field TEXT NOT NULL,
    -- What both had agreed upon, what was there, and what it became.
    agreed TEXT,
    theirs TEXT,
    became TEXT,
    delivery_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by TEXT
);
CREATE INDEX overridden_record ON overridden (flow, source_key, at);
