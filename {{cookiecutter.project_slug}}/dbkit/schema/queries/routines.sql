-- Functions, procedures and aggregates.
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
    p.oid::regprocedure::text AS name, NULL AS parent,
    jsonb_build_object(
        'definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
        'arguments', CASE WHEN p.prokind = 'a' THEN pg_get_function_arguments(p.oid) END,
        'result', CASE WHEN p.prokind = 'a' THEN pg_get_function_result(p.oid) END,
        'parallel', CASE WHEN p.prokind = 'a' THEN p.proparallel END,
        -- All that CREATE AGGREGATE says: functions and operators come out by name.
        'aggregate', to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop',
        'state', CASE WHEN p.prokind = 'a' THEN format_type(a.aggtranstype, NULL) END,
        'moving state', format_type(nullif(a.aggmtranstype, 0), NULL),
        'sort operator', nullif(a.aggsortop, 0)::regoperator::text,
        'comment', d.description
    ) AS definition,
    jsonb_build_object(
        'owner', p.proowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(x::text ORDER BY x::text)
            FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) AS x
        )
    ) AS administration
FROM pg_proc AS p
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
LEFT JOIN comments AS d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid
WHERE p.pronamespace IN (SELECT oid FROM schemas)
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
  -- The constructors of range types come and go with them.
  AND NOT EXISTS (
      SELECT FROM pg_depend AS i
      WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i' AND i.refclassid = 'pg_type'::regclass
  )
