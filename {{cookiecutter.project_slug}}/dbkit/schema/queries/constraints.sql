-- Constraints of tables and domains. What a partition has from its parent is shown where it is broken.
SELECT 'constraint' AS kind,
    CASE WHEN k.conrelid <> 0 THEN c.name ELSE k.contypid::regtype::text END || '.' || quote_ident(k.conname) AS name,
    CASE WHEN k.conrelid <> 0 THEN c.kind || ' ' || c.name ELSE 'type ' || k.contypid::regtype::text END AS parent,
    jsonb_build_object(
        'definition', CASE WHEN k.conparentid = 0 THEN pg_get_constraintdef(k.oid) ELSE 'that of the parent' END,
        'not validated', NOT k.convalidated,
        'disabled', (
            SELECT true FROM pg_trigger AS t
            WHERE t.tgrelid IN (k.conrelid, k.confrelid) AND t.tgconstraint = k.oid AND t.tgenabled <> 'O' LIMIT 1
        ),
        'inherited', CASE WHEN NOT c.relispartition THEN nullif(k.coninhcount, 0) END,
        'comment', d.description
    ) AS definition,
    '{}'::jsonb AS administration
FROM pg_constraint AS k
LEFT JOIN relations AS c ON c.oid = k.conrelid
LEFT JOIN comments AS d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
  AND (c.oid IS NOT NULL OR k.conrelid = 0 AND k.connamespace IN (SELECT oid FROM schemas))
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_type'::regclass AND objid = k.contypid)
  AND (k.conparentid = 0 OR NOT k.convalidated OR EXISTS (
      SELECT FROM pg_trigger AS t
      WHERE t.tgrelid IN (k.conrelid, k.confrelid) AND t.tgconstraint = k.oid AND t.tgenabled <> 'O'
  ))
