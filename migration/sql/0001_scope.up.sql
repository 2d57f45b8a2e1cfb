-- Everything lives in a schema of its own, so that a shared database stays tidy and `DROP SCHEMA registry CASCADE` is the whole uninstall.
-- (The schema itself is made by the migrator, because its own table is kept there too.)

-- The scope of a transaction, set by the service with SET LOCAL as its first statement:
--   auth       reads who is who, before anything is known about the caller
--   runtime    reads configurations of all customers, and nothing personal
--   customers  reads and writes the rows of the customers named in registry.customers
--   platform   operators, the command line and the service's own tail of the log
-- No scope, no rows. After a transaction that set it, the setting is '' and not NULL, hence the nullif.
CREATE FUNCTION registry.scope() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('registry.scope', true), '');

CREATE FUNCTION registry.scope_customers() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('registry.customers', true), '')::uuid[], '{}');

-- Rows that others point at by id for ever (versions, log entries) are refused any change, whoever asks.
CREATE FUNCTION registry.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

-- TRUNCATE passes by row triggers and policies alike, so each table refuses it in a trigger of its own.
CREATE FUNCTION registry.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
