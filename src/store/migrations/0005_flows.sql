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
