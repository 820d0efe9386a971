-- One text for SQLite and PostgreSQL: {id} is the dense integer key, {serial} one that numbers
-- itself, {bytes} a byte string; a line that starts with "sqlite:" or "postgres:" is for that one only.

-- Blocks of ids are handed out from here, so that a page knows the ids of its rows beforehand.
CREATE TABLE sequence (name TEXT PRIMARY KEY, next BIGINT NOT NULL);

CREATE TABLE stream (id {serial}, system TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (system, name));

-- Whom records speak of: `key` is what the records of its system name it by; `merged_into` is the
-- customer that a person chose for it.
CREATE TABLE customer_key (
    id {id},
    system TEXT NOT NULL,
    key TEXT NOT NULL,
    merged_into BIGINT
);
CREATE UNIQUE INDEX customer_key_key ON customer_key (system, key);

-- Customers as their records make them, once these have been added up.
CREATE TABLE customer (
    id {id},
    system TEXT NOT NULL,
    key TEXT NOT NULL,
    hidden BIGINT NOT NULL,
    gone BIGINT NOT NULL,
    owner TEXT NOT NULL,
    owner_rule TEXT NOT NULL,
    status TEXT,
    activity TEXT,
    country TEXT,
    partner_account TEXT,
    registered TEXT,
    last_trade TEXT,
    accounts BIGINT NOT NULL,
    account_numbers TEXT NOT NULL,
    volume_lots BIGINT,
    volume_mln_usd BIGINT,
    reward_usd BIGINT,
    rebate_usd BIGINT
);

-- Customers (ids, packed) whose records changed and who have not been added up again since. Written
-- with the change, so that nothing that stops the program leaves a customer behind.
CREATE TABLE touched (id {serial}, system TEXT NOT NULL, customers {bytes} NOT NULL);
CREATE INDEX touched_system ON touched (system);

-- The owner rules that a system's customers were last given their owners by, as a digest.
CREATE TABLE applied_rules (system TEXT PRIMARY KEY, digest {bytes} NOT NULL);

-- What a customer can be found by: every payload value, folded. Kept apart so that lists stay narrow.
CREATE TABLE customer_text (id {id}, text TEXT NOT NULL);
-- Which customers hold a trigram, not where in their text: the text itself is looked at anyway.
sqlite: CREATE VIRTUAL TABLE customer_search USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
sqlite: INSERT INTO customer_search (customer_search, rank) VALUES ('hashsize', 16777216);
sqlite: INSERT INTO customer_search (customer_search, rank) VALUES ('automerge', 0);
postgres: CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- PostgreSQL's index over it, and those that lists are sorted by, are made by store/indexes.rs.

-- Counts and sums of customers by everything lists filter by; rebuilt when customers change.
CREATE TABLE customer_summary (
    system TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, country TEXT NOT NULL, gone BIGINT NOT NULL,
    clients BIGINT NOT NULL, accounts BIGINT NOT NULL,
    volume_lots BIGINT, volume_mln_usd BIGINT, reward_usd BIGINT, rebate_usd BIGINT,
    PRIMARY KEY (system, owner, status, country, gone)
);

CREATE TABLE party (
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
    country TEXT,
    status TEXT,
    flags TEXT,
    partner_account TEXT,
    registered TEXT,
    last_trade TEXT,
    volume_lots BIGINT,
    volume_mln_usd BIGINT,
    reward_usd BIGINT,
    rebate_usd BIGINT,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX party_key ON party (stream_id, key);
CREATE INDEX party_gone ON party (stream_id) WHERE gone_run IS NOT NULL;

CREATE TABLE account (
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
    number TEXT NOT NULL,
    kind TEXT,
    currency TEXT,
    country TEXT,
    partner_account TEXT,
    status TEXT,
    opened TEXT,
    last_trade TEXT,
    volume_lots BIGINT,
    volume_mln_usd BIGINT,
    reward BIGINT,
    reward_usd BIGINT,
    raw TEXT NOT NULL
);
CREATE UNIQUE INDEX account_key ON account (stream_id, key);
CREATE INDEX account_gone ON account (stream_id) WHERE gone_run IS NOT NULL;

-- Former versions of records, written on change only.
CREATE TABLE version (
    stream_id BIGINT NOT NULL,
    record_id BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (stream_id, record_id, valid_from)
);
CREATE INDEX version_run ON version (run_id);

CREATE TABLE run (
    id {serial},
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    mode TEXT NOT NULL,
    days BIGINT,
    take BIGINT,
    status TEXT NOT NULL,
    progress BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    requested_by TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    cancel BIGINT NOT NULL DEFAULT 0,
    engine BIGINT,
    epoch BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL DEFAULT 0
);
-- One run at a time per system.
CREATE UNIQUE INDEX run_active ON run (system) WHERE status IN ('queued', 'running');
CREATE INDEX run_system ON run (system, id);

CREATE TABLE stage (
    run_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    weight BIGINT NOT NULL,
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT,
    passes BIGINT NOT NULL DEFAULT 0,
    pages BIGINT NOT NULL DEFAULT 0,
    next_cursor TEXT,
    counts TEXT NOT NULL DEFAULT '{"read":0,"created":0,"updated":0,"unchanged":0,"duplicate":0,"excluded":0,"rejected":0}',
    reasons TEXT NOT NULL DEFAULT '[]',
    read_sums TEXT NOT NULL DEFAULT '{}',
    first_totals TEXT,
    source_count BIGINT,
    source_sums TEXT NOT NULL DEFAULT '{}',
    proof TEXT,
    stored_count BIGINT,
    stored_sums TEXT NOT NULL DEFAULT '{}',
    gone BIGINT NOT NULL DEFAULT 0,
    absent BIGINT NOT NULL DEFAULT 0,
    not_read BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    started_at BIGINT,
    read_at BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (run_id, position)
);

-- One row per stored page: the checkpoint, and which records it saw; `seen` is dropped when a later
-- run of the system has replaced it.
CREATE TABLE page (
    run_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    pass BIGINT NOT NULL,
    number BIGINT NOT NULL,
    rows_read BIGINT NOT NULL,
    at BIGINT NOT NULL,
    digest {bytes},
    seen {bytes},
    PRIMARY KEY (run_id, position, pass, number)
);
CREATE INDEX page_seen ON page (run_id) WHERE seen IS NOT NULL;

-- Failed HTTP calls of a run, capped.
CREATE TABLE mishap (
    id {serial}, run_id BIGINT NOT NULL, at BIGINT NOT NULL, request TEXT NOT NULL, problem TEXT NOT NULL,
    attempt BIGINT NOT NULL, wait_ms BIGINT
);
CREATE INDEX mishap_run ON mishap (run_id);

-- Rows that were excluded, rejected or came twice, capped per rule; the counts stay exact.
CREATE TABLE oddity (
    id {serial}, run_id BIGINT NOT NULL, position BIGINT NOT NULL, pass BIGINT NOT NULL,
    disposition TEXT NOT NULL, rule TEXT NOT NULL, field TEXT NOT NULL, key TEXT, raw TEXT NOT NULL
);
CREATE INDEX oddity_run ON oddity (run_id, position, rule);

CREATE TABLE cases (
    id {serial},
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    subject TEXT NOT NULL,
    run_id BIGINT,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    detail TEXT NOT NULL,
    choices TEXT NOT NULL,
    choice TEXT,
    opened_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT
);
CREATE UNIQUE INDEX cases_open ON cases (kind, system, subject) WHERE state = 'open';

CREATE TABLE owner_rule (
    name_key TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, changed_by TEXT NOT NULL, changed_at BIGINT NOT NULL
);

CREATE TABLE audit (
    id {serial},
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    run_id BIGINT,
    reason TEXT,
    before_value TEXT,
    before_digest {bytes},
    after_value TEXT,
    after_digest {bytes}
);
CREATE TABLE seal (position {serial}, entry_id BIGINT NOT NULL UNIQUE, hash {bytes} NOT NULL);

CREATE TABLE system_state (
    system TEXT PRIMARY KEY,
    paused_by TEXT,
    paused_at BIGINT,
    paused_reason TEXT,
    refused_logins BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT,
    next_run_at BIGINT,
    note TEXT
);

CREATE TABLE engine (id {serial}, started_at BIGINT NOT NULL, beat_at BIGINT NOT NULL);

CREATE TABLE users (
    id {serial}, name TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, role TEXT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL
);
CREATE TABLE session (
    hash {bytes} PRIMARY KEY, user_id BIGINT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE TABLE token (
    id {serial}, hash {bytes} NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT
);
-- One-time links: the set-up of the first administrator, the signed-in link of a demonstration.
CREATE TABLE invitation (hash {bytes} PRIMARY KEY, role TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT);
CREATE TABLE login_attempt (who TEXT PRIMARY KEY, failures BIGINT NOT NULL, last_at BIGINT NOT NULL);
