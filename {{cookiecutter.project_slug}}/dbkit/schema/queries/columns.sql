-- Columns of tables and views.
SELECT 'column' AS kind, c.name || '.' || quote_ident(a.attname) AS name, c.kind || ' ' || c.name AS parent,
    jsonb_build_object(
        'type', format_type(a.atttypid, a.atttypmod),
        'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
        'not null', a.attnotnull,
        'not null not validated', NOT n.convalidated,
        'not null of this table alone', n.connoinherit,
        'default', CASE WHEN a.attgenerated = '' THEN replace(
            pg_get_expr(e.adbin, e.adrelid), coalesce(quote_literal(s.name) || '::regclass', ''), 'own sequence'
        ) END,
        'computed', CASE a.attgenerated
            WHEN 's' THEN pg_get_expr(e.adbin, e.adrelid) || ' STORED'
            WHEN 'v' THEN pg_get_expr(e.adbin, e.adrelid) || ' VIRTUAL'
        END,
        'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
        'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
        'compression', nullif(a.attcompression, ''),
        'statistics', nullif(a.attstattarget, -1),
        -- Since the minor versions of November 2026 the server keeps a version of each column among them.
        'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'),
        'foreign options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attfdwoptions) AS o),
        'inherited', CASE WHEN NOT c.relispartition THEN nullif(a.attinhcount, 0) END,
        'declared here, too', a.attinhcount > 0 AND a.attislocal AND NOT c.relispartition,
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'position', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
        'privileges', (SELECT jsonb_agg(p::text ORDER BY p::text) FROM unnest(a.attacl) AS p)
    ) AS administration
FROM relations AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
LEFT JOIN own_sequences AS s ON s.relation = a.attrelid AND s.attnum = a.attnum
-- PostgreSQL 18 has a constraint for each NOT NULL, whose name tells how the column became so.
LEFT JOIN pg_constraint AS n ON n.contype = 'n' AND n.conrelid = a.attrelid AND n.conkey[1] = a.attnum
LEFT JOIN comments AS d ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
WHERE c.relkind NOT IN ('S', 'c')
