-- Enum, domain, composite and range types.
SELECT 'type' AS kind, t.oid::regtype::text AS name, NULL AS parent,
    jsonb_build_object(
        'enum', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid),
        'attributes', (
            SELECT jsonb_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                || coalesce(' COLLATE ' || nullif(a.attcollation, b.typcollation)::regcollation::text, '')
                ORDER BY a.attnum)
            FROM pg_attribute AS a JOIN pg_type AS b ON b.oid = a.atttypid
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ),
        'comments', (
            SELECT jsonb_object_agg(a.attname, x.description) FROM comments AS x
            JOIN pg_attribute AS a ON a.attrelid = x.objoid AND a.attnum = x.objsubid
            WHERE x.classoid = 'pg_class'::regclass AND x.objoid = t.typrelid
        ),
        'domain of', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'not null', CASE WHEN t.typtype = 'd' THEN t.typnotnull END,
        'default', CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
        'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END,
        'range of', format_type(r.rngsubtype, NULL),
        'range order', (
            SELECT s.name || '.' || quote_ident(o.opcname) FROM pg_opclass AS o JOIN schemas AS s ON s.oid = o.opcnamespace
            WHERE o.oid = r.rngsubopc
            UNION ALL SELECT quote_ident(o.opcname) FROM pg_opclass AS o
            WHERE o.oid = r.rngsubopc AND o.oid < 16384 AND NOT o.opcdefault
        ),
        'multirange', r.rngmultitypid::regtype::text,
        'range collation', CASE WHEN r.rngcollation <> 0 THEN r.rngcollation::regcollation::text END,
        'range functions', nullif(concat_ws(' ',
            nullif(r.rngcanonical, 0)::regprocedure::text, nullif(r.rngsubdiff, 0)::regprocedure::text), ''),
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'owner', t.typowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) AS p
        )
    ) AS administration
FROM pg_type AS t
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
LEFT JOIN comments AS d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid
WHERE t.typnamespace IN (SELECT oid FROM schemas)
  AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)
