-- Lists filter by city and add up what shops know: counts and sums by city too. The same marks as in
-- the first step.

DROP TABLE customer_summary;
CREATE TABLE customer_summary (
    system TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, country TEXT NOT NULL, city TEXT NOT NULL,
    gone BIGINT NOT NULL, clients BIGINT NOT NULL, accounts BIGINT NOT NULL,
    volume_lots BIGINT, volume_mln_usd BIGINT, reward_usd BIGINT, rebate_usd BIGINT,
    opening BIGINT, purchased BIGINT, spent BIGINT, points BIGINT, purchases BIGINT,
    PRIMARY KEY (system, owner, status, country, city, gone)
);
INSERT INTO customer_summary (system, owner, status, country, city, gone, clients, accounts, volume_lots, volume_mln_usd, reward_usd, rebate_usd, opening, purchased, spent, points, purchases)
SELECT system, owner, COALESCE(status, ''), COALESCE(country, ''), COALESCE(city, ''), gone, COUNT(*), SUM(accounts), SUM(volume_lots), SUM(volume_mln_usd), SUM(reward_usd), SUM(rebate_usd), SUM(opening), SUM(purchased), SUM(spent), SUM(points), SUM(purchases)
FROM customer WHERE hidden = 0
GROUP BY system, owner, COALESCE(status, ''), COALESCE(country, ''), COALESCE(city, ''), gone;
-- The indexes that lists are sorted by are made by store/indexes.rs, which looks once a step was taken.
