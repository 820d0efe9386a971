-- Customers of CRM and finance systems, and what keeps them in agreement. The same marks as in the
-- first step.

CREATE TABLE contact (
    id {id},
    stream_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    raw_hash {bytes} NOT NULL,
    first_run BIGINT NOT NULL,
    changed_run BIGINT NOT NULL,
    gone_run BIGINT,
    valid_from BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    client_key TEXT NOT NULL,
    kind TEXT,
    name TEXT,
    -- What records are matched by, in the form it is compared in.
    number TEXT,
    national_id TEXT,
    mobile TEXT,
    telephone TEXT,
    email TEXT,
    -- The fingerprint of all that flows compare.
    said {bytes} NOT NULL,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX contact_key ON contact (stream_id, key);
CREATE INDEX contact_gone ON contact (stream_id) WHERE gone_run IS NOT NULL;
CREATE INDEX contact_number ON contact (stream_id, number) WHERE number IS NOT NULL;
CREATE INDEX contact_national_id ON contact (stream_id, national_id) WHERE national_id IS NOT NULL;
CREATE INDEX contact_mobile ON contact (stream_id, mobile) WHERE mobile IS NOT NULL;

-- What lists show of a contact.
ALTER TABLE customer ADD COLUMN kind TEXT;
ALTER TABLE customer ADD COLUMN number TEXT;
ALTER TABLE customer ADD COLUMN national_id TEXT;

-- Where a flow stands: `new`, then `live`, from when; when its import was closed, and when both sides were
-- last held against each other whole.
CREATE TABLE flow_state (flow TEXT PRIMARY KEY, live_since BIGINT, import_closed_at BIGINT, reconciled_at BIGINT);

-- Which records of the two sides are the same customer; `source_key` is the master's. What both agreed
-- upon last is what a later edit of either side is told by.
CREATE TABLE link (
    id {serial},
    flow TEXT NOT NULL,
    source_key TEXT NOT NULL,
    destination_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    source_gone BIGINT NOT NULL DEFAULT 0,
    agreed TEXT,
    source_said {bytes},
    run_id BIGINT,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    agreed_at BIGINT,
    verified_at BIGINT
);
CREATE UNIQUE INDEX link_source ON link (flow, source_key);
CREATE UNIQUE INDEX link_destination ON link (flow, destination_key);

-- Writes to other systems. `record` is the key of the record that is carried, in the system it comes
-- from; `target` that of the record it is written to, in the other. `mark` is the highest key seen
-- there just before.
CREATE TABLE delivery (
    id {serial},
    flow TEXT NOT NULL,
    way TEXT NOT NULL,
    record TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    state TEXT NOT NULL,
    epoch BIGINT NOT NULL DEFAULT 0,
    engine BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempt BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL DEFAULT 0,
    payload TEXT,
    -- What the master wished for, and which fields are written; all of a new record.
    wished TEXT,
    fields TEXT,
    before_value TEXT,
    after_value TEXT,
    mark BIGINT,
    -- What the record said when this was asked for; what the target had to say then, for a plan that is
    -- applied only to what it was made of.
    said {bytes},
    expects {bytes},
    message TEXT,
    reason TEXT NOT NULL,
    run_id BIGINT,
    asked_by TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    sent_at BIGINT,
    ended_at BIGINT
);
-- Of one record, one waits at most (a later change joins it), and one is under way.
CREATE UNIQUE INDEX delivery_waiting ON delivery (flow, way, record) WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_under_way ON delivery (flow, way, record) WHERE state IN ('claimed', 'prepared', 'sent', 'uncertain');
CREATE INDEX delivery_open ON delivery (not_before, id) WHERE state IN ('pending', 'claimed', 'prepared', 'sent', 'uncertain');
CREATE INDEX delivery_record ON delivery (flow, record, id);
CREATE INDEX delivery_run ON delivery (run_id);
CREATE INDEX delivery_unverified ON delivery (flow, id) WHERE state = 'confirmed';

-- What webhooks said may have changed, each thing once; and the signed events that were taken, so that a
-- repeat has no effect.
CREATE TABLE hint (system TEXT NOT NULL, what TEXT NOT NULL, key TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (system, what, key));
CREATE TABLE event (system TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (system, id));
