-- Insights count clients by day and points by class out of indexes alone: these are made again, with
-- all that is asked, by store/indexes.rs, which looks once a step was taken.

DROP INDEX IF EXISTS customer_registered;
DROP INDEX IF EXISTS customer_last_trade;
DROP INDEX IF EXISTS customer_points;
