-- What all customers of a shop have together, written when the customers are added up. Systems that have
-- a row here are shops: their customers have cards and purchases, not accounts.
CREATE TABLE shop_summary (
    system TEXT PRIMARY KEY,
    customers BIGINT NOT NULL, cards BIGINT NOT NULL,
    opening BIGINT, purchased BIGINT, spent BIGINT, points BIGINT
);
INSERT INTO shop_summary
SELECT system, COUNT(*), CAST(SUM(accounts) AS BIGINT), CAST(SUM(opening) AS BIGINT), CAST(SUM(purchased) AS BIGINT), CAST(SUM(spent) AS BIGINT), CAST(SUM(points) AS BIGINT)
FROM customer WHERE hidden = 0 AND gone = 0 AND purchases IS NOT NULL GROUP BY system;
