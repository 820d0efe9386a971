-- What people were told of last, on each channel (`mail`, `webhook`): the state of a system or a flow. Nobody
-- tells of it before `not_before`: somebody is about to, or could not.
CREATE TABLE alert (
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    told TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    PRIMARY KEY (channel, subject)
);
