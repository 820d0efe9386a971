-- Quotes and invoices, and the pre-invoices made of them. The same marks as in the first step.

CREATE TABLE document (
    id {id},
    stream_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    raw_hash {bytes} NOT NULL,
    first_run BIGINT NOT NULL,
    changed_run BIGINT NOT NULL,
    gone_run BIGINT,
    valid_from BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    client_key TEXT,
    number TEXT,
    state BIGINT,
    subtype TEXT,
    -- When it was made, on the clock of its system.
    made TEXT,
    -- What it comes to, in minor units.
    net BIGINT,
    -- The fingerprint of its money and lines.
    said {bytes} NOT NULL,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX document_key ON document (stream_id, key);
CREATE INDEX document_gone ON document (stream_id) WHERE gone_run IS NOT NULL;
CREATE INDEX document_made ON document (stream_id, made);

-- The customer that a delivery waits for: until it is linked, nothing is done about it. How often a person
-- said that it was not done: each of these rounds is known to the other system by an id of its own.
ALTER TABLE delivery ADD COLUMN waits_for TEXT;
ALTER TABLE delivery ADD COLUMN round BIGINT NOT NULL DEFAULT 0;
CREATE INDEX delivery_waits_for ON delivery (flow) WHERE waits_for IS NOT NULL;
CREATE INDEX delivery_held ON delivery (flow) WHERE state = 'held';
-- What a record was written as, whatever the flow.
CREATE INDEX link_by_record ON link (source_key);
