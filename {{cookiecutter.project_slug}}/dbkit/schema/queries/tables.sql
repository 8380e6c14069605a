-- Tables, partitions and foreign tables; views and materialized views.
SELECT c.kind, c.name, NULL AS parent,
    jsonb_build_object(
        'unlogged', c.relpersistence = 'u',
        'partitioned', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
        'inherits', (
            SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
            FROM pg_inherits AS i WHERE i.inhrelid = c.oid
        ),
        'detach pending', (SELECT true FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND i.inhdetachpending),
        'bound', pg_get_expr(c.relpartbound, c.oid),
        'of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
        'row security', c.relrowsecurity,
        'row security for owner', c.relforcerowsecurity,
        'replica identity', nullif(c.relreplident, 'd'),
        'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o),
        'toast options', (
            SELECT jsonb_agg(o ORDER BY o) FROM pg_class AS t, unnest(t.reloptions) AS o WHERE t.oid = c.reltoastrelid
        ),
        'access method', nullif((SELECT amname FROM pg_am WHERE oid = c.relam), 'heap'),
        'query', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
        'not populated', CASE WHEN c.relkind = 'm' THEN NOT c.relispopulated END,
        'server', (SELECT quote_ident(s.srvname) FROM pg_foreign_server AS s WHERE s.oid = f.ftserver),
        'foreign options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(f.ftoptions) AS o),
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'owner', c.relowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(a::text ORDER BY a::text)
            FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
        ),
        'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace)
    ) AS administration
FROM relations AS c
LEFT JOIN pg_foreign_table AS f ON f.ftrelid = c.oid
LEFT JOIN comments AS d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind NOT IN ('S', 'c')
