-- What all queries of this folder use. Each returns, for an object of the database:
--   kind, name             what it is called in a message, unique together
--   parent                 'kind name' of the object that it belongs to, and goes with
--   definition             what a revision decides
--   administration         what an administrator decides: owner, privileges, position, file
-- The search path is pg_catalog alone, so that every name comes out with its schema.
-- https://www.postgresql.org/docs/current/catalogs.html
WITH schemas AS MATERIALIZED (
    SELECT oid, quote_ident(nspname) AS name
    FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast\_temp\_%'
), members AS MATERIALIZED (  -- of extensions: what CREATE EXTENSION made comes and goes with it
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS MATERIALIZED (
    SELECT c.*,
        CASE c.relkind
            WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
            WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table'
        END AS kind,
        c.oid::regclass::text AS name
    FROM pg_class AS c
    WHERE c.relnamespace IN (SELECT oid FROM schemas)
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
      AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), own_sequences AS MATERIALIZED (  -- serial (a) and identity (i): the sequence goes with its column
    SELECT DISTINCT ON (refobjid, refobjsubid)
        objid AS oid, refobjid AS relation, refobjsubid AS attnum, objid::regclass::text AS name
    FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
      AND deptype IN ('a', 'i') AND refobjsubid > 0
      AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')
    ORDER BY refobjid, refobjsubid, objid
), comments AS MATERIALIZED (
    SELECT classoid, objoid, objsubid, description FROM pg_description
    WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
)
