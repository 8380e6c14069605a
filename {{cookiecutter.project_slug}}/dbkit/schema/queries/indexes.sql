-- Indexes, and extended statistics. What a partition has from its parent is shown where it is broken.
SELECT 'index' AS kind, i.indexrelid::regclass::text AS name,
    coalesce('constraint ' || c.name || '.' || quote_ident(k.conname), c.kind || ' ' || c.name) AS parent,
    jsonb_build_object(
        'definition', CASE WHEN x.relispartition THEN 'that of the parent' ELSE pg_get_indexdef(i.indexrelid) END,
        'invalid', NOT (i.indisvalid AND i.indisready AND i.indislive),
        'clustered', i.indisclustered,
        'replica identity', i.indisreplident,
        'statistics', (
            SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
            FROM pg_attribute AS a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
        ),
        'comment', d.description
    ) AS definition,
    jsonb_build_object('tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = x.reltablespace)) AS administration
FROM relations AS c
JOIN pg_index AS i ON i.indrelid = c.oid
JOIN pg_class AS x ON x.oid = i.indexrelid
-- There is no index on conindid alone.
LEFT JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN comments AS d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
WHERE NOT x.relispartition OR NOT i.indisvalid

UNION ALL

SELECT 'statistics', n.name || '.' || quote_ident(s.stxname), c.kind || ' ' || c.name,
    jsonb_build_object(
        'definition', pg_get_statisticsobjdef(s.oid),
        'target', nullif(s.stxstattarget, -1),
        'comment', d.description
    ),
    jsonb_build_object('owner', s.stxowner::regrole::text)
FROM pg_statistic_ext AS s
JOIN schemas AS n ON n.oid = s.stxnamespace
JOIN relations AS c ON c.oid = s.stxrelid
LEFT JOIN comments AS d ON d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = s.oid
