-- Shops: persons, their cards, what was bought with these, points, and products. The same marks as in
-- the first step.

CREATE TABLE person (
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
    name TEXT,
    phone TEXT,
    phone_typed TEXT,
    email TEXT,
    born TEXT,
    city TEXT,
    city_rule TEXT,
    marked BIGINT NOT NULL,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX person_key ON person (stream_id, key);
CREATE INDEX person_gone ON person (stream_id) WHERE gone_run IS NOT NULL;
CREATE INDEX person_phone ON person (phone) WHERE phone IS NOT NULL;

CREATE TABLE card (
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
    phone TEXT,
    phone_typed TEXT,
    marked BIGINT NOT NULL,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX card_key ON card (stream_id, key);
CREATE INDEX card_gone ON card (stream_id) WHERE gone_run IS NOT NULL;
CREATE INDEX card_phone ON card (phone) WHERE phone IS NOT NULL;
-- Cards that name no owner: whose they are is looked for by their phone.
CREATE INDEX card_ownerless ON card (stream_id) WHERE client_key IS NULL;

-- Movements of money and points by a card. `at` is in UTC, `day` is the source's own.
CREATE TABLE entry (
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
    card_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    day TEXT NOT NULL,
    document TEXT NOT NULL,
    document_type TEXT,
    line TEXT NOT NULL,
    product_key TEXT,
    quantity BIGINT,
    amount BIGINT,
    points_in BIGINT,
    points_out BIGINT,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX entry_key ON entry (stream_id, key);
CREATE INDEX entry_gone ON entry (stream_id) WHERE gone_run IS NOT NULL;
CREATE INDEX entry_day ON entry (stream_id, day);

CREATE TABLE product (
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
    name TEXT,
    article TEXT,
    code TEXT,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX product_key ON product (stream_id, key);
CREATE INDEX product_gone ON product (stream_id) WHERE gone_run IS NOT NULL;

-- How the source let itself be read, where that was not the usual way; a word of the catalogue.
ALTER TABLE stage ADD COLUMN way TEXT;

ALTER TABLE customer ADD COLUMN name TEXT;
ALTER TABLE customer ADD COLUMN phone TEXT;
ALTER TABLE customer ADD COLUMN email TEXT;
ALTER TABLE customer ADD COLUMN born TEXT;
ALTER TABLE customer ADD COLUMN city TEXT;
ALTER TABLE customer ADD COLUMN city_rule TEXT;
ALTER TABLE customer ADD COLUMN opening BIGINT;
ALTER TABLE customer ADD COLUMN purchased BIGINT;
ALTER TABLE customer ADD COLUMN spent BIGINT;
ALTER TABLE customer ADD COLUMN purchases BIGINT;
ALTER TABLE customer ADD COLUMN last_purchase TEXT;
-- The balance of points up to now, and when a row that lies in the future begins to count.
ALTER TABLE customer ADD COLUMN points BIGINT;
ALTER TABLE customer ADD COLUMN points_until BIGINT;
CREATE INDEX customer_points_until ON customer (points_until) WHERE points_until IS NOT NULL;
