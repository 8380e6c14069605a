-- What few databases have: casts, operators, collations, text search, foreign servers, publications.
SELECT 'cast' AS kind, format_type(k.castsource, NULL) || ' AS ' || format_type(k.casttarget, NULL) AS name, NULL AS parent,
    jsonb_build_object(
        'function', nullif(k.castfunc, 0)::regprocedure::text,
        'context', k.castcontext,
        'method', k.castmethod,
        'comment', d.description
    ) AS definition,
    '{}'::jsonb AS administration
FROM pg_cast AS k
LEFT JOIN comments AS d ON d.classoid = 'pg_cast'::regclass AND d.objoid = k.oid
WHERE k.oid >= 16384
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_cast'::regclass AND objid = k.oid)
  AND NOT EXISTS (
      SELECT FROM pg_depend AS i WHERE i.classid = 'pg_cast'::regclass AND i.objid = k.oid AND i.deptype = 'i'
  )

UNION ALL

SELECT 'operator', o.oid::regoperator::text, NULL,
    jsonb_build_object(
        'function', o.oprcode::regprocedure::text,
        'commutator', nullif(o.oprcom, 0)::regoperator::text,
        'negator', nullif(o.oprnegate, 0)::regoperator::text,
        'restrict', nullif(o.oprrest, 0)::regprocedure::text,
        'join', nullif(o.oprjoin, 0)::regprocedure::text,
        'hashes', o.oprcanhash, 'merges', o.oprcanmerge,
        'comment', d.description
    ),
    jsonb_build_object('owner', o.oprowner::regrole::text)
FROM pg_operator AS o
LEFT JOIN comments AS d ON d.classoid = 'pg_operator'::regclass AND d.objoid = o.oid
WHERE o.oprnamespace IN (SELECT oid FROM schemas) AND o.oprcode <> 0
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_operator'::regclass AND objid = o.oid)

UNION ALL

SELECT 'operator class', s.name || '.' || quote_ident(o.opcname) || ' using ' || m.amname, NULL,
    jsonb_build_object(
        'type', format_type(o.opcintype, NULL),
        'default', o.opcdefault,
        'storage', format_type(nullif(o.opckeytype, 0), NULL),
        'operators', (
            SELECT jsonb_agg(x.amopstrategy || ' ' || x.amopopr::regoperator::text ORDER BY x.amopstrategy, x.amopopr::regoperator::text)
            FROM pg_amop AS x WHERE x.amopfamily = o.opcfamily
        ),
        'functions', (
            SELECT jsonb_agg(x.amprocnum || ' ' || x.amproc::regprocedure::text ORDER BY x.amprocnum, x.amproc::regprocedure::text)
            FROM pg_amproc AS x WHERE x.amprocfamily = o.opcfamily
        ),
        'comment', d.description
    ),
    jsonb_build_object('owner', o.opcowner::regrole::text)
FROM pg_opclass AS o
JOIN schemas AS s ON s.oid = o.opcnamespace
JOIN pg_am AS m ON m.oid = o.opcmethod
LEFT JOIN comments AS d ON d.classoid = 'pg_opclass'::regclass AND d.objoid = o.oid
WHERE NOT EXISTS (SELECT FROM members WHERE classid = 'pg_opclass'::regclass AND objid = o.oid)

UNION ALL

-- The version of a collation is the operating system's, and its columns differ between versions of PostgreSQL.
SELECT 'collation', k.oid::regcollation::text, NULL,
    to_jsonb(k) - 'oid' - 'collname' - 'collnamespace' - 'collowner' - 'collversion' || jsonb_build_object('comment', d.description),
    jsonb_build_object('owner', k.collowner::regrole::text)
FROM pg_collation AS k
LEFT JOIN comments AS d ON d.classoid = 'pg_collation'::regclass AND d.objoid = k.oid
WHERE k.collnamespace IN (SELECT oid FROM schemas)
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_collation'::regclass AND objid = k.oid)

UNION ALL

SELECT 'text search configuration', k.oid::regconfig::text, NULL,
    jsonb_build_object(
        'parser', (SELECT n.nspname || '.' || p.prsname FROM pg_ts_parser AS p JOIN pg_namespace AS n ON n.oid = p.prsnamespace WHERE p.oid = k.cfgparser),
        'mapping', (
            SELECT jsonb_agg(m.maptokentype || ' ' || m.mapdict::regdictionary::text ORDER BY m.maptokentype, m.mapseqno)
            FROM pg_ts_config_map AS m WHERE m.mapcfg = k.oid
        ),
        'comment', d.description
    ),
    jsonb_build_object('owner', k.cfgowner::regrole::text)
FROM pg_ts_config AS k
LEFT JOIN comments AS d ON d.classoid = 'pg_ts_config'::regclass AND d.objoid = k.oid
WHERE k.cfgnamespace IN (SELECT oid FROM schemas)
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_ts_config'::regclass AND objid = k.oid)

UNION ALL

SELECT 'text search dictionary', k.oid::regdictionary::text, NULL,
    jsonb_build_object(
        'template', (SELECT n.nspname || '.' || t.tmplname FROM pg_ts_template AS t JOIN pg_namespace AS n ON n.oid = t.tmplnamespace WHERE t.oid = k.dicttemplate),
        'options', k.dictinitoption,
        'comment', d.description
    ),
    jsonb_build_object('owner', k.dictowner::regrole::text)
FROM pg_ts_dict AS k
LEFT JOIN comments AS d ON d.classoid = 'pg_ts_dict'::regclass AND d.objoid = k.oid
WHERE k.dictnamespace IN (SELECT oid FROM schemas)
  AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_ts_dict'::regclass AND objid = k.oid)

UNION ALL

-- Options of a user mapping are passwords, and not read.
SELECT 'foreign server', quote_ident(s.srvname), NULL,
    jsonb_build_object(
        'wrapper', (SELECT quote_ident(w.fdwname) FROM pg_foreign_data_wrapper AS w WHERE w.oid = s.srvfdw),
        'type', s.srvtype, 'version', s.srvversion,
        'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(s.srvoptions) AS o),
        'users', (
            SELECT jsonb_agg(m.usename ORDER BY m.usename) FROM pg_user_mappings AS m WHERE m.srvid = s.oid
        ),
        'comment', d.description
    ),
    jsonb_build_object(
        'owner', s.srvowner::regrole::text,
        'privileges', (
            SELECT jsonb_agg(p::text ORDER BY p::text)
            FROM unnest(coalesce(s.srvacl, acldefault('S', s.srvowner))) AS p
        )
    )
FROM pg_foreign_server AS s
LEFT JOIN comments AS d ON d.classoid = 'pg_foreign_server'::regclass AND d.objoid = s.oid

UNION ALL

SELECT 'publication', quote_ident(p.pubname), NULL,
    to_jsonb(p) - 'oid' - 'pubname' - 'pubowner' || jsonb_build_object(
        'tables', (
            SELECT jsonb_agg(concat_ws(' ', r.prrelid::regclass::text,
                (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute AS a
                    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)),
                pg_get_expr(r.prqual, r.prrelid))
                ORDER BY r.prrelid::regclass::text)
            FROM pg_publication_rel AS r WHERE r.prpubid = p.oid
        ),
        'schemas', (
            SELECT jsonb_agg(n.pnnspid::regnamespace::text ORDER BY n.pnnspid::regnamespace::text)
            FROM pg_publication_namespace AS n WHERE n.pnpubid = p.oid
        )
    ),
    jsonb_build_object('owner', p.pubowner::regrole::text)
FROM pg_publication AS p

UNION ALL

SELECT 'language', quote_ident(l.lanname), NULL,
    jsonb_build_object('trusted', l.lanpltrusted, 'handler', nullif(l.lanplcallfoid, 0)::regprocedure::text),
    jsonb_build_object('owner', l.lanowner::regrole::text)
FROM pg_language AS l
WHERE l.oid >= 16384 AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_language'::regclass AND objid = l.oid)
