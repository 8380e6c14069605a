-- What a program of the server's stands behind, and superusers make: wrappers, access methods, parsers, conversions.
SELECT 'foreign data wrapper' AS kind, quote_ident(w.fdwname) AS name, NULL AS parent,
    jsonb_build_object(
        'handler', nullif(w.fdwhandler, 0)::regproc::text,
        'validator', nullif(w.fdwvalidator, 0)::regproc::text,
        'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(w.fdwoptions) AS o),
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'owner', w.fdwowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(w.fdwacl, acldefault('F', w.fdwowner))) AS p
        )
    ) AS administration
FROM pg_foreign_data_wrapper AS w
LEFT JOIN comments AS d ON d.classoid = 'pg_foreign_data_wrapper'::regclass AND d.objoid = w.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_foreign_data_wrapper'::regclass AND objid = w.oid)

UNION ALL

SELECT 'access method', quote_ident(m.amname), NULL,
    jsonb_build_object('handler', m.amhandler::text, 'type', m.amtype, 'comment', d.description),
    '{}'
FROM pg_am AS m
LEFT JOIN comments AS d ON d.classoid = 'pg_am'::regclass AND d.objoid = m.oid
WHERE m.oid >= 16384
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_am'::regclass AND objid = m.oid)

UNION ALL

-- One that has a class is shown by it.
SELECT 'operator family', s.name || '.' || quote_ident(f.opfname) || ' using ' || m.amname, NULL,
    jsonb_build_object('comment', d.description),
    jsonb_build_object('owner', f.opfowner::regrole::text)
FROM pg_opfamily AS f
JOIN schemas AS s ON s.oid = f.opfnamespace
JOIN pg_am AS m ON m.oid = f.opfmethod
LEFT JOIN comments AS d ON d.classoid = 'pg_opfamily'::regclass AND d.objoid = f.oid
WHERE NOT EXISTS (SELECT FROM pg_opclass AS o WHERE o.opcfamily = f.oid)
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_opfamily'::regclass AND objid = f.oid)

UNION ALL

SELECT 'conversion', s.name || '.' || quote_ident(c.conname), NULL,
    jsonb_build_object(
        'from', pg_encoding_to_char(c.conforencoding),
        'to', pg_encoding_to_char(c.contoencoding),
        'function', c.conproc::text,
        'default', c.condefault,
        'comment', d.description
    ),
    jsonb_build_object('owner', c.conowner::regrole::text)
FROM pg_conversion AS c
JOIN schemas AS s ON s.oid = c.connamespace
LEFT JOIN comments AS d ON d.classoid = 'pg_conversion'::regclass AND d.objoid = c.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_conversion'::regclass AND objid = c.oid)

UNION ALL

SELECT 'text search parser', s.name || '.' || quote_ident(p.prsname), NULL,
    to_jsonb(p) - 'oid' - 'prsname' - 'prsnamespace' || jsonb_build_object('comment', d.description),
    '{}'
FROM pg_ts_parser AS p
JOIN schemas AS s ON s.oid = p.prsnamespace
LEFT JOIN comments AS d ON d.classoid = 'pg_ts_parser'::regclass AND d.objoid = p.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_ts_parser'::regclass AND objid = p.oid)

UNION ALL

SELECT 'text search template', s.name || '.' || quote_ident(t.tmplname), NULL,
    to_jsonb(t) - 'oid' - 'tmplname' - 'tmplnamespace' || jsonb_build_object('comment', d.description),
    '{}'
FROM pg_ts_template AS t
JOIN schemas AS s ON s.oid = t.tmplnamespace
LEFT JOIN comments AS d ON d.classoid = 'pg_ts_template'::regclass AND d.objoid = t.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_ts_template'::regclass AND objid = t.oid)
