-- Schemas and extensions; the database itself, and the privileges of what is created later.
SELECT 'schema' AS kind, s.name, NULL AS parent,
    jsonb_build_object('comment', d.description) AS definition,
    jsonb_build_object(
        'owner', n.nspowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS p
        )
    ) AS administration
FROM schemas AS s
JOIN pg_namespace AS n ON n.oid = s.oid
LEFT JOIN comments AS d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = s.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_namespace'::regclass AND objid = s.oid)

UNION ALL

-- CREATE EXTENSION installs the newest version that a server has: whoever installs it decides.
SELECT 'extension', quote_ident(e.extname), NULL,
    jsonb_build_object('schema', (SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = e.extnamespace)),
    jsonb_build_object('version', e.extversion, 'owner', e.extowner::regrole::text)
FROM pg_extension AS e

UNION ALL

SELECT 'database', '', NULL, '{}',
    jsonb_build_object(
        'owner', b.datdba::regrole::text,
        'encoding', pg_encoding_to_char(b.encoding),
        'collation', b.datcollate,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(b.datacl, acldefault('d', b.datdba))) AS p
        ),
        'settings', (
            SELECT jsonb_agg(concat_ws(': ', nullif(r.setrole, 0)::regrole::text,
                -- Of a setting of the service's own, which may be a key or password, only whether it is the same.
                CASE WHEN o ~ '^[^=]*\.' THEN split_part(o, '=', 1) || '=(' || to_hex(hashtextextended(o, 0)) || ')' ELSE o END)
                ORDER BY r.setrole::regrole::text, o)
            FROM pg_db_role_setting AS r, unnest(r.setconfig) AS o WHERE r.setdatabase = b.oid
        ),
        'comment', shobj_description(b.oid, 'pg_database')
    )
FROM pg_database AS b
WHERE b.datname = current_database()

UNION ALL

SELECT 'default privileges',
    concat_ws(' ', 'of', a.defaclrole::regrole::text, 'for', CASE a.defaclobjtype
        WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
        WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
        'in ' || (SELECT s.name FROM schemas AS s WHERE s.oid = a.defaclnamespace)),
    NULL, '{}',
    jsonb_build_object('privileges', (SELECT jsonb_agg(p::text ORDER BY p::text) FROM unnest(a.defaclacl) AS p))
FROM pg_default_acl AS a
