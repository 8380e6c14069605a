-- Sequences. One that a column owns is named after the column: its own name tells how the table was called once.
SELECT CASE WHEN o.oid IS NULL THEN 'sequence' ELSE 'sequence of' END AS kind,
    coalesce(t.name || '.' || quote_ident(a.attname), c.name) AS name,
    'column ' || t.name || '.' || quote_ident(a.attname) AS parent,
    jsonb_build_object(
        'type', format_type(s.seqtypid, NULL),
        'start', s.seqstart, 'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax,
        'cache', s.seqcache, 'cycle', s.seqcycle,
        'unlogged', c.relpersistence = 'u',
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'name', c.name,
        'owner', c.relowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(c.relacl, acldefault('s', c.relowner))) AS p
        )
    ) AS administration
FROM relations AS c
JOIN pg_sequence AS s ON s.seqrelid = c.oid
LEFT JOIN own_sequences AS o ON o.oid = c.oid
LEFT JOIN relations AS t ON t.oid = o.relation
LEFT JOIN pg_attribute AS a ON a.attrelid = o.relation AND a.attnum = o.attnum
LEFT JOIN comments AS d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
