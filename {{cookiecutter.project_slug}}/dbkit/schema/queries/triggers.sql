-- Triggers, rules and policies of tables; event triggers.
SELECT 'trigger' AS kind, c.name || '.' || quote_ident(t.tgname) AS name, c.kind || ' ' || c.name AS parent,
    jsonb_build_object(
        'definition', CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) ELSE 'that of the parent' END,
        'fires', CASE t.tgenabled WHEN 'D' THEN 'never: disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
        'comment', d.description
    ) AS definition,
    '{}'::jsonb AS administration
FROM pg_trigger AS t
JOIN relations AS c ON c.oid = t.tgrelid
LEFT JOIN pg_trigger AS p ON p.oid = t.tgparentid
LEFT JOIN comments AS d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
WHERE NOT t.tgisinternal AND (t.tgparentid = 0 OR t.tgenabled <> p.tgenabled)

UNION ALL

SELECT 'rule', c.name || '.' || quote_ident(r.rulename), c.kind || ' ' || c.name,
    jsonb_build_object(
        'definition', pg_get_ruledef(r.oid),
        'fires', CASE r.ev_enabled WHEN 'D' THEN 'never: disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
        'comment', d.description
    ),
    '{}'
FROM pg_rewrite AS r
JOIN relations AS c ON c.oid = r.ev_class
LEFT JOIN comments AS d ON d.classoid = 'pg_rewrite'::regclass AND d.objoid = r.oid
WHERE r.rulename <> '_RETURN'

UNION ALL

SELECT 'policy', c.name || '.' || quote_ident(p.polname), c.kind || ' ' || c.name,
    jsonb_build_object(
        'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
            WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        'restrictive', NOT p.polpermissive,
        'roles', (
            SELECT jsonb_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END ORDER BY r = 0, r::regrole::text)
            FROM unnest(p.polroles) AS r
        ),
        'using', pg_get_expr(p.polqual, p.polrelid),
        'with check', pg_get_expr(p.polwithcheck, p.polrelid),
        'comment', d.description
    ),
    '{}'
FROM pg_policy AS p
JOIN relations AS c ON c.oid = p.polrelid
LEFT JOIN comments AS d ON d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid

UNION ALL

SELECT 'event trigger', quote_ident(e.evtname), NULL,
    jsonb_build_object(
        'event', e.evtevent,
        'function', e.evtfoid::regprocedure::text,
        'tags', to_jsonb(e.evttags),
        'fires', CASE e.evtenabled WHEN 'D' THEN 'never: disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
        'comment', d.description
    ),
    jsonb_build_object('owner', e.evtowner::regrole::text)
FROM pg_event_trigger AS e
LEFT JOIN comments AS d ON d.classoid = 'pg_event_trigger'::regclass AND d.objoid = e.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_event_trigger'::regclass AND objid = e.oid)
