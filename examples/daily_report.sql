-- The daily report on the loans, as a detached job: millrace submit examples/daily_report.sql
-- It reads the raw file, so it runs on an empty cluster; paths are relative to where the cluster was started.
CREATE SCHEMA IF NOT EXISTS report;

CREATE OR REPLACE TEMPORARY VIEW raw USING csv OPTIONS (path 'data/lending_club.csv', header 'true', inferSchema 'true');

CREATE OR REPLACE TABLE report.loans USING delta AS
SELECT addr_state, sub_grade, substring(sub_grade, 1, 1) AS grade, funded_amnt, int_rate, annual_inc,
       CAST(regexp_replace(term, 'term_', '') AS INT) AS months,
       trim(regexp_replace(verification_status, 'Source_Verified', 'Verified')) AS verification_status,
       round(total_il_high_credit_limit - total_bal_il, 2) AS net,
       Class = 'bad' AS bad_loan
FROM raw;

CREATE OR REPLACE TABLE report.by_state USING delta AS
SELECT addr_state, count(*) AS loans, sum(funded_amnt) AS dollars, round(avg(int_rate), 2) AS rate,
       round(100 * avg(CASE WHEN bad_loan THEN 1 ELSE 0 END), 2) AS bad_percent
FROM report.loans GROUP BY addr_state;

CREATE OR REPLACE TABLE report.by_grade USING delta AS
SELECT grade, months, count(*) AS loans, sum(funded_amnt) AS dollars, round(avg(int_rate), 2) AS rate,
       round(100 * avg(CASE WHEN bad_loan THEN 1 ELSE 0 END), 2) AS bad_percent
FROM report.loans GROUP BY grade, months;

-- One row for each day that the report ran: the job's transaction makes a repeated run count once.
CREATE TABLE IF NOT EXISTS report.days (day DATE, loans BIGINT, dollars BIGINT, bad_percent DOUBLE) USING delta;

INSERT INTO report.days
SELECT current_date(), count(*), sum(funded_amnt), round(100 * avg(CASE WHEN bad_loan THEN 1 ELSE 0 END), 2) FROM report.loans;

SELECT addr_state, loans, dollars, rate, bad_percent FROM report.by_state ORDER BY dollars DESC LIMIT 10;

SELECT * FROM report.by_grade ORDER BY grade, months;

SELECT * FROM report.days ORDER BY day DESC LIMIT 7;
