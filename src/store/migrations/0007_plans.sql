-- What flows would do, kept to be shown and applied later. The same marks as in the first step.

-- `reading` until the runs that read both sides are over, then `ready` or `failed`.
CREATE TABLE plan (
    id {serial},
    flow TEXT NOT NULL,
    state TEXT NOT NULL,
    runs TEXT NOT NULL,
    message TEXT,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    made_at BIGINT
);
CREATE INDEX plan_flow ON plan (flow, id);
CREATE INDEX plan_reading ON plan (id) WHERE state = 'reading';

-- What a plan says of one record; when that was asked for, or found to have moved and left out.
CREATE TABLE plan_change (
    plan_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    action TEXT NOT NULL,
    source TEXT NOT NULL,
    content TEXT NOT NULL,
    applied_at BIGINT,
    left_out_at BIGINT,
    PRIMARY KEY (plan_id, position)
);
CREATE UNIQUE INDEX plan_change_source ON plan_change (plan_id, source);

-- Deliveries that wait for a person, and what the audit tells of one thing.
CREATE INDEX delivery_stuck ON delivery (flow, state) WHERE state IN ('rejected', 'dead', 'held');
CREATE INDEX audit_subject ON audit (subject);
